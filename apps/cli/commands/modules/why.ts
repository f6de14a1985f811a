import { command } from '../../command.js'
import { inCommandWords } from '../../command-words.js'
import { exitCodes } from '../../errors.js'
import { openManager } from '../../session.js'

export const modulesWhy = command({
  name: 'modules why',
  summary: 'what loading a module brings in and why, or what is in its way',
  arguments: [{ name: '<module>', text: 'its id' }],
  notes: ['Exit code 1 when it cannot be loaded.'],
  async run({ args, out }) {
    await using manager = await openManager(out)
    const { text, ...value } = manager.why(args[0]!)
    const { ok } = await manager.canLoad(args[0]!)
    out.result({ ok, ...value, reason: inCommandWords(value.reason) }, () => inCommandWords(text))
    return ok ? exitCodes.ok : exitCodes.failure
  },
})
