import { rm } from 'node:fs/promises'
import { type ModuleCommand, ModuleError } from '@enigma/kernel'
import { readBeat } from '../beat-file.js'
import { defaultPath } from '../heartbeat.js'

export const resetCommand: ModuleCommand = {
  name: 'reset',
  description: 'Remove the heartbeat file',
  async execute({ options }) {
    const path = typeof options.path === 'string' ? options.path : defaultPath()
    const { pulse, beat } = await readBeat(path)
    if (pulse === 'missing') return `There is no heartbeat at ${path}`
    if (options.force !== true) {
      // A wrong --path must not delete a document.
      const why =
        pulse === 'running' ? `process ${beat!.pid} is beating` : pulse === 'damaged' ? 'it holds no heartbeat' : undefined
      if (why)
        throw new ModuleError('ILLEGAL_TRANSITION', `${path} is kept: ${why}. Pass --force to remove it.`, {
          module: 'heartbeat',
        })
    }
    await rm(path)
    return `Removed ${path}`
  },
}
