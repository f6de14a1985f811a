import { command } from '../../command.js'
import type { Output } from '../../output/output.js'
import { changeSavedSet, openManager } from '../../session.js'

export const modulesEnable = command({
  name: 'modules enable',
  summary: 'let a module be loaded again that was disabled, or is in quarantine',
  arguments: [{ name: '<module>', text: 'its id' }],
  notes: ["It is not loaded by this: 'enigma modules load' does that."],
  async run({ args, out }) {
    const released = await release(args[0]!, out)
    const { id, changed, saved } = await changeSavedSet(out, async (manager) => {
      const { id, state } = manager.getModule(args[0]!)
      await manager.enable(id)
      return { id, changed: released || state === 'disabled' }
    })
    out.result({ id, changed, saved }, () =>
      changed ? `'${id}' may be loaded again. Saved in ${saved}` : `'${id}' was not disabled.`,
    )
    return 0
  },
})

/** Out of quarantine, before the saved set is loaded: it cannot be while it names a module in there. */
async function release(id: string, out: Output): Promise<boolean> {
  await using manager = await openManager(out)
  if (manager.getModule(id).quarantined === undefined) return false
  await manager.reset(id)
  return true
}
