import { command } from '../../command.js'
import { openManager } from '../../session.js'

export const modulesWhy = command({
  name: 'modules why',
  summary: 'what loading a module brings in and why, or what is in its way',
  arguments: [{ name: '<module>', text: 'its id' }],
  async run({ args, out }) {
    await using manager = await openManager(out)
    const { text, ...value } = manager.why(args[0]!)
    out.result(value, () => text)
    return 0
  },
})
