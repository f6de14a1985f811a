import type { ModuleCommand } from '@enigma/kernel'
import { clearJournal } from '../journal.js'

export const clearCommand: ModuleCommand = {
  name: 'clear',
  description: 'Empty the journal',
  execute: async () => `Removed ${await clearJournal()} bytes of events`,
}
