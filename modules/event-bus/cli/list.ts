import type { ModuleCommand } from '@enigma/kernel'
import { readJournal } from '../journal.js'

/** Letters of a payload shown in the table. */
const shown = 100

export const listCommand: ModuleCommand = {
  name: 'list',
  description: 'List the last events of the journal',
  async execute({ options }) {
    const part = typeof options.event === 'string' ? options.event : ''
    const limit = Math.max(0, Math.floor(Number(options.limit ?? 20)) || 0)
    const events = (await readJournal(limit, ({ event }) => event.includes(part))).reverse()
    if (options.format === 'json') return events
    if (events.length === 0) return 'The journal has no such event.'
    return events
      .map(({ id, time, event, payload }) => {
        const text = JSON.stringify(payload) ?? ''
        return `${id}  ${time}  ${event}  ${text.length > shown ? `${text.slice(0, shown)}…` : text}`
      })
      .join('\n')
  },
}
