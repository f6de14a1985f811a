import { parentPort, workerData } from 'node:worker_threads'
import { importMap } from './data-loader.js'
import type { MapReply, MapRequest } from './map-workers.js'

/** The thread side of `MapWorkers`: answers batches with what the module's `map` makes of them, in the order they come. */

const map = importMap(new URL(workerData as string))
map.catch(() => undefined)

parentPort!.on('message', async ({ id, batch, position }: MapRequest) => {
  let reply: MapReply
  try {
    reply = { id, batch: await (await map)(batch, position) }
  } catch (error) {
    reply = { id, error }
  }
  try {
    parentPort!.postMessage(reply)
  } catch (error) {
    // What cannot be sent: a function in a batch, an error with one.
    parentPort!.postMessage({ id, error: String('error' in reply ? reply.error : error) } satisfies MapReply)
  }
})
