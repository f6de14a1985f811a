import type { ModuleCommand } from '@enigma/kernel'
import { takers } from '../inbox.js'
import { journalFiles, journalFolder } from '../journal.js'

/** Tells of all processes, through their files; loads nothing. */
export const statusCommand: ModuleCommand = {
  name: 'status',
  description: 'Show the journal, and which processes take events',
  async execute({ options }) {
    const { files } = await journalFiles()
    const processes = (await takers()).map(({ pid }) => pid)
    if (options.format === 'json') return { processes, journal: { folder: journalFolder(), files } }
    const journal = files.length === 0 ? ['journal    none; the config { persist: true } keeps one'] : []
    return [
      `processes  ${processes.join(', ') || "none runs the module 'event-bus'"}`,
      ...journal,
      ...files.map(({ path, bytes }) => `journal    ${path} (${bytes} bytes)`),
    ].join('\n')
  },
}
