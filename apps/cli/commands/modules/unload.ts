import { rm } from 'node:fs/promises'
import { command } from '../../command.js'
import { CliError } from '../../errors.js'
import { savedSetPath } from '../../folders.js'
import { openManager, restoreSavedSet } from '../../session.js'

interface Flags {
  readonly all?: boolean
  readonly cascade?: boolean
}

export const modulesUnload = command<Flags>({
  name: 'modules unload',
  summary: 'take a module out of the saved set',
  arguments: [{ name: '[module]', text: 'its id' }],
  options: [
    { flags: '--cascade', text: 'also the modules that require it' },
    { flags: '--all', text: 'forget the saved set, even a broken one' },
  ],
  async run({ args, options: { all, cascade }, out }) {
    const path = savedSetPath()
    const [id] = args
    if (all) {
      await rm(path, { force: true })
      out.result({ unloaded: 'all', saved: null }, () => 'Nothing is loaded any more.')
      return 0
    }
    if (id === undefined) throw new CliError('USAGE', 'Say which module, or --all.')
    await using manager = await openManager(out)
    await restoreSavedSet(manager)
    const { unloaded } = await manager.unload(id, { cascade: cascade === true })
    await manager.saveConfig(path)
    out.result({ unloaded, saved: path }, () => `Unloaded ${unloaded.join(', ')}. Saved in ${path}`)
    return 0
  },
})
