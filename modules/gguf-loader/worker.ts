import { LlamaEngine } from './llama-engine.js'
import type { FromWorker, SentError, ToWorker } from './messages.js'

// The process of llama.cpp: started by `LlamaProcess`, told what to do over the connection to its parent, and gone with it.

process.on('disconnect', () => process.exit())
// The terminal interrupts whole groups of processes; when this one ends is for its parent to say.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)

const open = new Map<number, AbortController>()
let engine: LlamaEngine | undefined

process.on('message', (message: ToWorker) => {
  if (message.type === 'load') void load(message.options)
  else if (message.type === 'abort') open.get(message.id)?.abort()
  else void answer(message)
})

async function load(options: Extract<ToWorker, { type: 'load' }>['options']): Promise<void> {
  try {
    engine = await LlamaEngine.load(options)
    send({ type: 'ready', facts: engine.facts })
  } catch (error) {
    send({ type: 'unusable', error: sendable(error) })
  }
}

async function answer({ id, ask, options }: Extract<ToWorker, { type: 'answer' }>): Promise<void> {
  const controller = new AbortController()
  open.set(id, controller)
  try {
    const result = await engine!.answer({
      ...{ ask, options, signal: controller.signal },
      begun: (prompt) => send({ type: 'begun', id, prompt }),
      push: (text) => {
        if (text !== '') send({ type: 'piece', id, text })
      },
    })
    send({ type: 'answer', id, answer: result })
  } catch (error) {
    send({ type: 'error', id, error: sendable(error) })
  } finally {
    open.delete(id)
  }
}

function send(message: FromWorker): void {
  if (process.connected) process.send!(message, undefined, {}, () => undefined)
}

function sendable(error: unknown): SentError {
  if (!(error instanceof Error)) return { name: 'Error', code: undefined, message: String(error) }
  const { code } = error as { code?: unknown }
  return { name: error.name, code: typeof code === 'string' ? code : undefined, message: error.message }
}
