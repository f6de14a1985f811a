import { rm } from 'node:fs/promises'
import { command } from '../../command.js'
import { CliError } from '../../errors.js'
import { savedSetPath } from '../../folders.js'
import { changeSavedSet } from '../../session.js'

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
    const [id] = args
    if (all) {
      await rm(savedSetPath(), { force: true })
      out.result({ unloaded: 'all', saved: null }, () => 'Nothing is loaded any more.')
      return 0
    }
    if (id === undefined) throw new CliError('USAGE', 'Say which module, or --all.')
    const { unloaded, saved } = await changeSavedSet(out, (manager) => manager.unload(id, { cascade: cascade === true }))
    out.result({ unloaded, saved }, () => `Unloaded ${unloaded.join(', ')}. Saved in ${saved}`)
    return 0
  },
})
