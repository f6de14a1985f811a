import { existsSync } from 'node:fs'
import { rm, rmdir } from 'node:fs/promises'
import { command } from '../../command.js'
import { CliError } from '../../errors.js'
import { installedModules, moduleData } from '../../folders.js'
import { readSavedStates } from '../../saved-states.js'

interface Flags {
  readonly data?: boolean
}

export const modulesRemove = command<Flags>({
  name: 'modules remove',
  summary: 'delete an added module, with its packages and what you agreed to',
  arguments: [{ name: '<module>', text: 'its id' }],
  options: [{ flags: '--data', text: 'also what it has stored in its data folder ($DATA)' }],
  async run({ args, options: { data: withData }, out }) {
    const id = args[0]!
    const state = readSavedStates().get(id)
    if (state === 'active' || state === 'loaded')
      throw new CliError('CHECK_FAILED', `'${id}' is in the saved set. Take it out first: enigma modules unload ${id}`)
    const { ModuleInstaller } = await import('enigma')
    const { version } = await new ModuleInstaller(installedModules()).remove(id)
    const kept = await dataLeft(moduleData(id), withData === true)
    out.result({ id, version, result: 'removed', data: kept }, () =>
      kept === null ? `Removed '${id}' ${version}.` : `Removed '${id}' ${version}. What it has stored stays in ${kept}`,
    )
    return 0
  },
})

/** The module's data folder where something stays in it; an empty one is no trace worth keeping. */
async function dataLeft(folder: string, all: boolean): Promise<string | null> {
  if (all) await rm(folder, { recursive: true, force: true })
  else await rmdir(folder).catch(() => undefined)
  return existsSync(folder) ? folder : null
}
