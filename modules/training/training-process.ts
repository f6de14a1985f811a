import { type ChildProcess, fork } from 'node:child_process'
import { constants, setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import { LmError, type LmErrorCode, TensorError, type TrainEvent, type TrainOptions, type TrainResult } from '@enigma/lm'
import { TrainingError } from './errors.js'
import type { FromWorker, SentError, ToWorker } from './messages.js'

export interface TrainingProcessOptions {
  /** 0 to 19. */
  readonly nice: number
  readonly onEvent: (event: TrainEvent) => void
  /** The program that trains; default `worker.js` beside this file. */
  readonly worker?: URL
}

/** One training in a process of its own: a crash there is an error here and nothing else. */
export class TrainingProcess {
  /** Settles when the process has ended. */
  readonly done: Promise<TrainResult>
  readonly #child: ChildProcess

  constructor(train: Omit<TrainOptions, 'signal'>, { nice, onEvent, worker }: TrainingProcessOptions) {
    const file = fileURLToPath(worker ?? new URL('./worker.js', import.meta.url))
    // Advanced serialization keeps NaN and Infinity, which JSON has no words for.
    const child = fork(file, [], { serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'], execArgv: [] })
    this.#child = child
    this.done = outcome(child, train.out, onEvent)
    this.done.catch(() => undefined)
    if (nice > 0 && child.pid !== undefined) lowerPriority(child.pid, nice)
    this.#send({ type: 'train', options: train })
  }

  /** Undefined when it has ended or could not be started. */
  get pid(): number | undefined {
    return this.#child.exitCode === null && this.#child.signalCode === null ? this.#child.pid : undefined
  }

  /** Asks for a checkpoint and the end. */
  stop(): void {
    this.#send({ type: 'stop' })
  }

  /** Ends it at once; what was done since the last checkpoint is lost. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }

  #send(message: ToWorker): void {
    // A process that is gone already is reported by `done`.
    if (this.#child.connected) this.#child.send(message, () => undefined)
  }
}

function outcome(child: ChildProcess, out: string, onEvent: (event: TrainEvent) => void): Promise<TrainResult> {
  const errors = new LastLine()
  child.stderr?.setEncoding('utf8').on('data', (text: string) => errors.push(text))
  return new Promise((resolve, reject) => {
    let last: Exclude<FromWorker, { type: 'event' }> | undefined
    child.on('message', (message: FromWorker) => {
      if (message.type === 'event') onEvent(message.event)
      else last = message
    })
    child.on('error', (cause) => {
      reject(new TrainingError('TRAINING_CRASHED', `The training process could not be started: ${cause.message}`, { cause }))
    })
    child.on('close', (code, signal) => {
      if (last?.type === 'result') resolve(last.result)
      else if (last?.type === 'error') reject(revived(last.error))
      else {
        const how = signal === null ? `exit code ${code}` : `signal ${signal}`
        const said = errors.text === '' ? '' : `: ${errors.text}`
        const fix = `If it left a checkpoint in ${out}, go on from it with { resume: true }.`
        reject(new TrainingError('TRAINING_CRASHED', `The training process ended with ${how}${said}. ${fix}`))
      }
    })
  })
}

function revived({ name, code, message }: SentError): Error {
  if (name === 'LmError') return new LmError(code as LmErrorCode, message)
  if (name === 'TensorError') return new TensorError(code as TensorError['code'], message)
  return Object.assign(new Error(message), { name })
}

function lowerPriority(pid: number, nice: number): void {
  try {
    setPriority(pid, Math.min(nice, constants.priority.PRIORITY_LOW))
  } catch {
    // It has ended already; `done` says so.
  }
}

/** The last line of a process's complaints that says something: neither stack nor Node's own signature. */
class LastLine {
  #rest = ''
  #line = ''

  push(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) if (says(line)) this.#line = line.trim()
  }

  get text(): string {
    return says(this.#rest) ? this.#rest.trim() : this.#line
  }
}

function says(line: string): boolean {
  return line.trim() !== '' && !/^\s+at |^Node\.js v\d|^[\s^~{}]*$/.test(line)
}
