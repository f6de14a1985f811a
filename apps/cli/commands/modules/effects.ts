import { command } from '../../command.js'
import { openSavedSet } from '../../session.js'

export const modulesEffects = command({
  name: 'modules effects',
  summary: 'what a module has registered: services, listeners, timers; all gone when it is unloaded',
  arguments: [{ name: '<module>', text: 'its id' }],
  notes: ['A module that is not in the saved set is loaded for the answer.'],
  async run({ args, out }) {
    await using manager = await openSavedSet(out)
    const { id, state } = manager.getModule(args[0]!)
    if (state !== 'active' && state !== 'loaded') await manager.load(id)
    const effects = manager.effects(id)
    out.result({ id, effects }, () => effects.join('\n') || `'${id}' has registered nothing.`)
    return 0
  },
})
