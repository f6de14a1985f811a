import { command } from '../../command.js'
import { changeSavedSet } from '../../session.js'

export const modulesEnable = command({
  name: 'modules enable',
  summary: 'let a disabled module be loaded again',
  arguments: [{ name: '<module>', text: 'its id' }],
  notes: ["It is not loaded by this: 'enigma modules load' does that."],
  async run({ args, out }) {
    const { id, changed, saved } = await changeSavedSet(out, async (manager) => {
      const { id, state } = manager.getModule(args[0]!)
      await manager.enable(id)
      return { id, changed: state === 'disabled' }
    })
    out.result({ id, changed, saved }, () =>
      changed ? `'${id}' may be loaded again. Saved in ${saved}` : `'${id}' was not disabled.`,
    )
    return 0
  },
})
