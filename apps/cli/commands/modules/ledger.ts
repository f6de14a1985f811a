import { command } from '../../command.js'
import { bytes } from '../../output/format.js'
import { openSavedSet } from '../../session.js'

export const modulesLedger = command({
  name: 'modules ledger',
  summary: 'who of the saved set holds how much memory',
  async run({ out }) {
    await using manager = await openSavedSet(out)
    const { ramFree, ramTotal } = manager.hardwareProfile
    const entries = manager.ledger.map(({ module, ram, vram }) => ({ module, ram, vram }))
    await out.table(
      { entries, ramTotal, ramFree },
      ['module', 'memory', 'graphics memory'],
      entries.map(({ module, ram, vram }) => [module, bytes(ram), bytes(vram)]),
    )
    if (!out.json) out.text(`${bytes(ramFree)} of ${bytes(ramTotal)} memory free`)
    return 0
  },
})
