import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { messageOf } from '../../errors.js'
import type { Manifest } from '../../manifest/manifest.js'
import { toMB } from '../../units.js'
import { portChannel } from '../wire/channel.js'
import { moduleEnvironment } from './environment.js'
import type { StartLink } from './link.js'
import { readLines } from './output.js'

const threadScript = join(import.meta.dirname, '../guest/thread.js')

/** Starts modules in threads of their own: for parallelism, not for safety. A thread shares the process, and its death by memory may be ours. */
export function startWorker(manifest: Manifest): StartLink {
  return async (output) => {
    const { ram } = manifest.resources
    const worker = new Worker(threadScript, {
      env: moduleEnvironment(),
      stdout: true,
      stderr: true,
      name: manifest.id,
      ...(ram > 0 && { resourceLimits: { maxOldGenerationSizeMb: Math.max(16, toMB(ram)) } }),
    })
    readLines(worker.stdout, (line) => output('stdout', line))
    readLines(worker.stderr, (line) => output('stderr', line))
    const ended = new Promise<string>((resolve) => {
      let failure: string | undefined
      worker.once('error', (error) => (failure = messageOf(error)))
      worker.once('exit', (code) =>
        resolve(failure === undefined ? `its thread ended with code ${code}` : `its thread ended: ${failure}`),
      )
    })
    return { channel: portChannel(worker), label: `thread ${worker.threadId}`, ended, kill: () => void worker.terminate() }
  }
}
