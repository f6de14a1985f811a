import { command } from '../../command.js'
import { CliError } from '../../errors.js'
import { installedModules } from '../../folders.js'
import { readSavedStates } from '../../saved-states.js'

export const modulesRemove = command({
  name: 'modules remove',
  summary: 'delete an added module, with its packages and what you agreed to',
  arguments: [{ name: '<module>', text: 'its id' }],
  async run({ args, out }) {
    const id = args[0]!
    const state = readSavedStates().get(id)
    if (state === 'active' || state === 'loaded')
      throw new CliError('CHECK_FAILED', `'${id}' is in the saved set. Take it out first: enigma modules unload ${id}`)
    const { ModuleInstaller } = await import('enigma')
    const { version } = await new ModuleInstaller(installedModules()).remove(id)
    out.result({ id, version, result: 'removed' }, () => `Removed '${id}' ${version}.`)
    return 0
  },
})
