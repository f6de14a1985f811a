import type { ModuleCommand } from '@enigma/kernel'
import { reportText } from '../report-text.js'
import type { GarbageCollectorService } from '../types.js'

export const runCommand: ModuleCommand = {
  name: 'run',
  description: 'Remove what Enigma left behind',
  async execute({ options, getInterface }) {
    const collector = (await getInterface('garbage-collector')) as GarbageCollectorService
    const dry = options['dry-run'] === true || options.dryRun === true
    const report = await (dry ? collector.scan() : collector.run())
    return options.format === 'json' ? report : reportText(report, dry ? 'would go' : 'removed')
  },
}
