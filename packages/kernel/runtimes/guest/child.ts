import { Socket } from 'node:net'
import { lineChannel } from '../wire/channel.js'
import { runGuest } from './guest.js'

// What runs in a module's own process. The messages have file descriptor 3 to themselves: standard output is the module's.

const pipe = new Socket({ fd: 3 })
runGuest(
  lineChannel(pipe, pipe),
  () => process.memoryUsage.rss(),
  () => process.exit(),
)
