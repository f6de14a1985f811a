import { type ModuleCommand, ModuleError } from '@enigma/kernel'
import { readJournal } from '../journal.js'

export const getCommand: ModuleCommand = {
  name: 'get',
  description: 'Show one event of the journal',
  async execute({ args: [wanted] }) {
    if (wanted === undefined) throw new ModuleError('BAD_CONFIG', 'Say which: event-bus:get ID. event-bus:list shows the ids.')
    const [event] = await readJournal(1, ({ id }) => id === wanted)
    if (event) return event
    throw new ModuleError('BAD_CONFIG', `The journal has no event '${wanted}'. event-bus:list shows what it has.`)
  },
}
