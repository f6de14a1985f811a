import { type TrainResult, train } from '@enigma/lm'
import type { FromWorker, SentError, ToWorker } from './messages.js'

// The training process: started by `TrainingProcess`, told what to do over the connection to its parent. It ends with a
// checkpoint when it is told to stop, when the terminal interrupts it, and when its parent is gone.

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort())
process.on('disconnect', () => stop.abort())
process.on('message', (message: ToWorker) => {
  if (message.type === 'stop') stop.abort()
  else void run(message.options)
})

async function run(options: Extract<ToWorker, { type: 'train' }>['options']): Promise<void> {
  let last: FromWorker
  try {
    const result = await train({ ...options, signal: stop.signal }, (event) => send({ type: 'event', event }))
    last = { type: 'result', result }
  } catch (error) {
    const before = stop.signal.aborted && error === stop.signal.reason
    last = before ? { type: 'result', result: nothingYet(options.out) } : { type: 'error', error: sendable(error) }
  }
  // At once: threads of the native runtime must not keep a process alive that has nothing left to do.
  send(last, () => process.exit())
}

/** Stopped while the text was being read: no step was made, so there is nothing to keep. */
function nothingYet(folder: string): TrainResult {
  return { folder, step: 0, steps: 0, stopped: true, loss: Number.NaN, bitsPerByte: null, seconds: 0, tokens: 0 }
}

function send(message: FromWorker, sent: () => void = () => undefined): void {
  // A parent that is gone is no error: the run ends with its checkpoint.
  if (process.connected && process.send) process.send(message, undefined, {}, sent)
  else sent()
}

function sendable(error: unknown): SentError {
  if (!(error instanceof Error)) return { name: 'Error', code: undefined, message: String(error) }
  const { code } = error as { code?: unknown }
  return { name: error.name, code: typeof code === 'string' ? code : undefined, message: error.message }
}
