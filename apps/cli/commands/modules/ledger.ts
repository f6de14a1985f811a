import { command } from '../../command.js'
import { openSavedSet } from '../../session.js'

export const modulesLedger = command({
  name: 'modules ledger',
  summary: 'who of the saved set holds how much memory, and how much there is',
  async run({ out }) {
    await using manager = await openSavedSet(out)
    const { text, ...value } = manager.resources()
    out.result(value, () => text)
    return 0
  },
})
