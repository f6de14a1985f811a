import type { ModuleCommand } from '@enigma/kernel'
import type { LoggerService } from '../types.js'

export const statusCommand: ModuleCommand = {
  name: 'status',
  description: 'Show where the log goes, its level and sizes',
  async execute({ options, getInterface }) {
    const status = ((await getInterface('logger')) as LoggerService).status()
    if (options.format === 'json') return status
    return [
      `level    ${status.level}`,
      `console  ${status.console ? 'stderr' : 'off'}`,
      `file     ${status.file === undefined ? 'off' : `${status.file} (${status.size} bytes)`}`,
      `rotated  ${status.rotated.length === 0 ? 'none' : status.rotated.join(', ')}`,
      `written  ${status.written} records`,
      ...(status.problem === undefined ? [] : [`problem  ${status.problem}`]),
    ].join('\n')
  },
}
