import { command } from '../../command.js'
import { installedModules } from '../../folders.js'
import { askAndInstall, type ConsentFlags, consentOptions, exitCodeOf, fetching, takenIds } from '../../third-party.js'

export const modulesAdd = command<ConsentFlags>({
  name: 'modules add',
  summary: 'install a module of somebody else, after showing what it may do',
  arguments: [{ name: '<source>', text: 'an npm package (name, name@^1.2), a folder, or a .tgz made by npm pack' }],
  options: [...consentOptions],
  notes: [
    'None of its code runs before you agree, install scripts never. It then runs in a process of its own, with the permissions shown.',
    'Exit code 2 when nobody can be asked and --yes is missing.',
  ],
  async run({ args, options, out }) {
    const { ModuleInstaller } = await import('enigma')
    const installer = new ModuleInstaller(installedModules())
    const taken = await takenIds(installer, out)
    const [source] = args
    const staged = await fetching(source!, out, (watch) => installer.stage(source!, { ...options, ...watch, taken }))
    const outcome = await askAndInstall(staged, options, out)
    out.result(outcome, () => {
      if (outcome.result === 'refused') return 'Nothing was installed.'
      if (outcome.result === 'unchanged') return `'${outcome.id}' ${outcome.version} is installed already.`
      return `Added '${outcome.id}' ${outcome.version}. Load it with: enigma modules load ${outcome.id}`
    })
    return exitCodeOf([outcome])
  },
})
