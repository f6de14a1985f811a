import { command } from '../../command.js'
import { inCommandWords } from '../../command-words.js'
import { exitCodes } from '../../errors.js'
import { openSavedSet } from '../../session.js'

export const modulesWhyNot = command({
  name: 'modules why-not',
  summary: 'what is in the way of a module beside the saved set, and what would do instead',
  arguments: [{ name: '<module>', text: 'its id' }],
  notes: ['Exit code 1 when it cannot be loaded.'],
  async run({ args, out }) {
    await using manager = await openSavedSet(out)
    const { text, ...value } = manager.whyNot(args[0]!)
    const { ok, code } = await manager.canLoad(args[0]!)
    out.result({ ok, ...(code && { code }), ...value, reason: inCommandWords(value.reason) }, () => {
      const instead = value.alternatives.length > 0 ? [`  instead: ${value.alternatives.join(', ')}`] : []
      return [inCommandWords(text), ...instead].join('\n')
    })
    return ok ? exitCodes.ok : exitCodes.failure
  },
})
