import { type ChildProcess, fork } from 'node:child_process'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Answer, type AnswerRequest, EngineError, type EngineErrorCode, type TextSource } from '@enigma/engines'
import { LmError, type LmErrorCode } from '@enigma/lm'
import type { FromWorker, LoadOptions, ModelFacts, SentError, ToWorker } from './messages.js'
import { checkOptions } from './supported-options.js'

interface Pending {
  readonly request: AnswerRequest
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

interface Life {
  readonly child: ChildProcess
  readonly ready: Promise<ModelFacts>
  readonly pending: Map<number, Pending>
}

/** llama.cpp in a process of its own: a crash there is an error of the requests under way, and the next one starts it again. */
export class LlamaProcess implements TextSource {
  readonly model: string
  readonly #options: LoadOptions
  #life: Life | undefined
  #facts: ModelFacts | undefined
  #lives = 0
  #requests = 0
  #closed = false

  private constructor(options: LoadOptions) {
    this.#options = options
    this.model = basename(options.file).replace(/\.gguf$/i, '')
  }

  /**
   * Starts it and loads the file.
   * @param signal gives it up
   * @throws EngineError NOT_INSTALLED, FILE_NOT_FOUND, MODEL_UNREADABLE, ENGINE_CRASHED; the signal's reason
   */
  static async start(options: LoadOptions, signal: AbortSignal = new AbortController().signal): Promise<LlamaProcess> {
    const process = new LlamaProcess(options)
    const giveUp = () => void process.close()
    signal.addEventListener('abort', giveUp, { once: true })
    try {
      await process.#live().ready
      return process
    } catch (error) {
      await process.close()
      throw signal.aborted ? signal.reason : error
    } finally {
      signal.removeEventListener('abort', giveUp)
    }
  }

  get facts(): ModelFacts {
    return this.#facts!
  }

  get pid(): number | undefined {
    return this.#life?.child.pid
  }

  get restarts(): number {
    return Math.max(0, this.#lives - 1)
  }

  /** @throws EngineError ENGINE_CRASHED, UNSUPPORTED; LmError for what the module `inference` refuses likewise; the signal's reason */
  async answer(request: AnswerRequest): Promise<Answer> {
    const { ask, options, signal } = request
    checkOptions(options)
    const life = this.#live()
    await life.ready
    signal.throwIfAborted()
    const id = ++this.#requests
    return new Promise<Answer>((resolve, reject) => {
      const abort = () => {
        send(life.child, { type: 'abort', id })
        settle(() => reject(signal.reason))
      }
      const settle = (how: () => void) => {
        life.pending.delete(id)
        signal.removeEventListener('abort', abort)
        how()
      }
      signal.addEventListener('abort', abort, { once: true })
      life.pending.set(id, {
        request,
        resolve: (answer) => settle(() => resolve(answer)),
        reject: (error) => settle(() => reject(error)),
      })
      send(life.child, { type: 'answer', id, ask, options })
    })
  }

  /** Ends the process at once; it holds nothing that could be lost. */
  async close(): Promise<void> {
    this.#closed = true
    const child = this.#life?.child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('close', resolve))
    child.kill('SIGKILL')
    await ended
  }

  #live(): Life {
    if (this.#closed) throw new EngineError('ENGINE_CRASHED', `The process for ${this.#options.file} has been ended.`)
    return (this.#life ??= this.#begin())
  }

  #begin(): Life {
    this.#lives++
    const file = fileURLToPath(new URL('./worker.js', import.meta.url))
    const child = fork(file, [], { serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'], execArgv: [] })
    const pending = new Map<number, Pending>()
    let said = ''
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      said = `${said}${text}`.slice(-2000)
    })
    const ready = new Promise<ModelFacts>((resolve, reject) => {
      const end = (how: string, cause?: unknown) => {
        if (this.#life?.child === child) this.#life = undefined
        const last = said.trim().split('\n').at(-1)!.trim()
        const message = `llama.cpp ${how}${last === '' ? '' : `: ${last}`}. The next request starts it again.`
        const error = new EngineError('ENGINE_CRASHED', message, { cause })
        reject(error)
        for (const { reject } of [...pending.values()]) reject(error)
      }
      child.on('error', (cause) => end(`could not be started (${cause.message})`, cause))
      child.on('close', (code, signal) => end(`ended with ${signal === null ? `exit code ${code}` : `signal ${signal}`}`))
      child.on('message', (message: FromWorker) => {
        if (message.type === 'ready') {
          this.#facts = message.facts
          resolve(message.facts)
        } else if (message.type === 'unusable') {
          reject(revived(message.error))
          child.kill('SIGKILL')
        } else deliver(message, pending.get(message.id))
      })
    })
    ready.catch(() => undefined)
    send(child, { type: 'load', options: this.#options })
    return { child, ready, pending }
  }
}

function deliver(message: Exclude<FromWorker, { type: 'ready' | 'unusable' }>, pending: Pending | undefined): void {
  // Nobody waits any more for what was aborted.
  if (!pending) return
  if (message.type === 'begun') pending.request.begun(message.prompt)
  else if (message.type === 'piece') pending.request.push(message.text)
  else if (message.type === 'answer') pending.resolve(message.answer)
  else pending.reject(revived(message.error))
}

function send(child: ChildProcess, message: ToWorker): void {
  // A process that is gone is reported by its end.
  if (child.connected) child.send(message, () => undefined)
}

function revived({ name, code, message }: SentError): Error {
  if (name === 'EngineError') return new EngineError(code as EngineErrorCode, message)
  if (name === 'LmError') return new LmError(code as LmErrorCode, message)
  return Object.assign(new Error(message), { name, ...(code !== undefined && { code }) })
}
