import { command } from '../../command.js'
import { changeSavedSet } from '../../session.js'

interface Flags {
  readonly cascade?: boolean
}

export const modulesDisable = command<Flags>({
  name: 'modules disable',
  summary: 'take a module out of use: it is unloaded, and no load brings it back',
  arguments: [{ name: '<module>', text: 'its id' }],
  options: [{ flags: '--cascade', text: 'unload the modules that require it, too' }],
  async run({ args, options: { cascade }, out }) {
    const { id, changed, unloaded, saved } = await changeSavedSet(out, async (manager) => {
      const { id, state } = manager.getModule(args[0]!)
      const before = manager.listLoaded()
      await manager.disable(id, { cascade: cascade === true })
      const after = new Set(manager.listLoaded())
      return { id, changed: state !== 'disabled', unloaded: before.filter((one) => !after.has(one)).reverse() }
    })
    out.result({ id, changed, unloaded, saved }, () => {
      if (!changed) return `'${id}' is disabled already.`
      const gone = unloaded.length > 0 ? ` Unloaded ${unloaded.join(', ')}.` : ''
      return `'${id}' is disabled.${gone} Saved in ${saved}`
    })
    return 0
  },
})
