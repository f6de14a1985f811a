import { command } from '../../command.js'
import { exitCodes } from '../../errors.js'
import { moduleFolders } from '../../session.js'

export const modulesCheck = command({
  name: 'modules check',
  summary: 'validate manifests: keys, entries, requirements, cycles',
  arguments: [{ name: '[folders...]', text: 'modules, or folders of modules, checked together with the built-in ones' }],
  notes: ["Exit code 1 when there is a problem. None of the modules' code runs."],
  async run({ args, out }) {
    const { builtinModules, checkModules } = await import('enigma')
    const folders = [...builtinModules(), ...moduleFolders(), ...args]
    const problems = await checkModules(folders)
    out.result({ ok: problems.length === 0, problems }, () => {
      if (problems.length === 0) return 'All manifests are fine.'
      return problems
        .map(({ module, file, line, key, message }) =>
          [file ? `${file}:${line}` : module, key, message].filter(Boolean).join(': '),
        )
        .join('\n')
    })
    return problems.length === 0 ? exitCodes.ok : exitCodes.failure
  },
})
