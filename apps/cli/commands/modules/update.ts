import { command } from '../../command.js'
import { installedModules } from '../../folders.js'
import { askAndInstall, type ConsentFlags, consentOptions, exitCodeOf, fetching, type Outcome } from '../../third-party.js'

export const modulesUpdate = command<ConsentFlags>({
  name: 'modules update',
  summary: 'fetch added modules anew from where they came; asks again where they want more',
  arguments: [{ name: '[modules...]', text: 'ids of added modules; default all' }],
  options: [...consentOptions],
  notes: ['Files of an added module that were changed since are put right too.'],
  async run({ args, options, out }) {
    const { ModuleInstaller } = await import('enigma')
    const installer = new ModuleInstaller(installedModules())
    const ids = args.length > 0 ? args : (await installer.list()).map(({ id }) => id)
    const outcomes: Outcome[] = []
    for (const id of ids) {
      const staged = await fetching(id, out, (watch) => installer.stageUpdate(id, { ...options, ...watch }))
      outcomes.push(await askAndInstall(staged, options, out))
    }
    out.result(outcomes, () => outcomes.map(sentence).join('\n') || 'No modules were added.')
    return exitCodeOf(outcomes)
  },
})

const words = { installed: 'is now', unchanged: 'is up to date at', refused: 'stays as it is; not updated to' } as const

function sentence({ id, version, result }: Outcome): string {
  return `'${id}' ${words[result]} ${version}.`
}
