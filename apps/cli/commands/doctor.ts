import { command } from '../command.js'
import { exitCodes } from '../errors.js'

export const doctor = command({
  name: 'doctor',
  summary: 'what is wrong on this machine, and the fix',
  notes: ['Exit code 1 when something is broken.'],
  async run({ out }) {
    const { examine } = await import('../examinations.js')
    const findings = await examine(out)
    const broken = findings.some(({ status }) => status === 'broken')
    const mark = { fine: out.color.green('ok  '), doubtful: out.color.yellow('warn'), broken: out.color.red('FAIL') }
    out.result({ ok: !broken, findings }, () =>
      [
        ...findings.flatMap(({ status, what, found, fix }) => [
          `${mark[status]}  ${what.padEnd(15)} ${found}`,
          ...(fix ? [`      fix: ${fix}`] : []),
        ]),
        broken ? 'Something is broken: see above.' : 'All is well. Talk to the model: enigma chat',
      ].join('\n'),
    )
    return broken ? exitCodes.failure : exitCodes.ok
  },
})
