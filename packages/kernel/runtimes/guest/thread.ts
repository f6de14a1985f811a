import { parentPort } from 'node:worker_threads'
import { portChannel } from '../wire/channel.js'
import { runGuest } from './guest.js'

// What runs in a module's own thread.

runGuest(
  portChannel(parentPort!),
  () => {
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  },
  () => process.exit(),
)
