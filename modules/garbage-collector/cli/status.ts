import type { ModuleCommand } from '@enigma/kernel'
import { reportText } from '../report-text.js'
import type { GarbageCollectorService } from '../types.js'

export const statusCommand: ModuleCommand = {
  name: 'status',
  description: 'List what a run would remove, and what the last one did',
  async execute({ options, getInterface }) {
    const collector = (await getInterface('garbage-collector')) as GarbageCollectorService
    const [found, last] = [await collector.scan(), await collector.lastRun()]
    if (options.format === 'json') return { last, found }
    const before = last === undefined ? 'none' : `${last.time}: ${last.files} files, ${last.bytes} bytes`
    return `last run  ${before}\n${reportText(found, 'would go')}`
  },
}
