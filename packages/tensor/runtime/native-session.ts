import { callerLine } from '../caller-line.js'
import type { HostTensor } from '../dtype.js'
import { TensorError } from '../errors.js'
import { describeIndexError } from './index-error.js'
import { matchTensors, type ValueInfo } from './match-tensors.js'
import { addressOf, NameArray, ValueArray } from './native-memory.js'
import type { OrtApi, Pointer } from './ort-api.js'
import type { BoundRun, Session } from './runtime.js'
import { readSignature } from './signature.js'

/** A native session and what must live as long as it does. */
export class NativeSession implements Session {
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly #api: OrtApi
  readonly #session: Pointer
  readonly #memoryInfo: Pointer
  readonly #initializers: { release(): void }
  readonly #inputInfo: readonly ValueInfo[]
  readonly #outputInfo: readonly ValueInfo[]
  readonly #runs = new Set<NativeRun>()
  #released = false

  constructor(api: OrtApi, session: Pointer, memoryInfo: Pointer, initializers: { release(): void }) {
    this.#api = api
    this.#session = session
    this.#memoryInfo = memoryInfo
    this.#initializers = initializers
    this.#inputInfo = readSignature(api, session, 'Input')
    this.#outputInfo = readSignature(api, session, 'Output')
    this.inputs = this.#inputInfo.map(({ name }) => name)
    this.outputs = this.#outputInfo.map(({ name }) => name)
  }

  bind(feeds: Readonly<Record<string, HostTensor>>, fetches: Readonly<Record<string, HostTensor>>): BoundRun {
    if (this.#released) throw new TensorError('RUNTIME_FAILED', 'The session is released: create it again before binding.')
    const inputs = matchTensors('Input', this.#inputInfo, feeds)
    const outputs = matchTensors('Output', this.#outputInfo, fetches)
    const run = new NativeRun(this.#api, this.#session, this.#memoryInfo, inputs, outputs, () => {
      this.#runs.delete(run)
      if (this.#released) this.#free()
    })
    this.#runs.add(run)
    return run
  }

  release(): void {
    if (this.#released) return
    this.#released = true
    if (this.#runs.size === 0) this.#free()
    // The last run to end frees the session.
    else for (const run of [...this.#runs]) run.release()
  }

  #free(): void {
    if (this.#runs.size > 0) return
    this.#api.release('Session', this.#session)
    this.#initializers.release()
  }
}

class NativeRun implements BoundRun {
  readonly #api: OrtApi
  readonly #options: Pointer
  readonly #values: readonly [ValueArray, ValueArray]
  /** `Run`'s arguments, made once: addresses of arrays that `#kept` holds. */
  readonly #arguments: readonly (Pointer | number)[]
  readonly #kept: readonly NameArray[]
  readonly #ended: () => void
  #inFlight = false
  #released = false

  constructor(
    api: OrtApi,
    session: Pointer,
    memoryInfo: Pointer,
    inputs: ReadonlyMap<string, HostTensor>,
    outputs: ReadonlyMap<string, HostTensor>,
    ended: () => void,
  ) {
    this.#api = api
    this.#ended = ended
    const inputNames = new NameArray([...inputs.keys()])
    const outputNames = new NameArray([...outputs.keys()])
    this.#kept = [inputNames, outputNames]
    const inputValues = new ValueArray(api, memoryInfo, [...inputs.values()])
    const outputValues = new ValueArray(api, memoryInfo, [...outputs.values()])
    this.#values = [inputValues, outputValues]
    this.#options = api.create('CreateRunOptions')
    this.#arguments = [
      session,
      this.#options,
      addressOf(inputNames.pointers),
      addressOf(inputValues.pointers),
      inputs.size,
      addressOf(outputNames.pointers),
      outputs.size,
      addressOf(outputValues.pointers),
    ]
  }

  async run(signal?: AbortSignal): Promise<void> {
    this.#assertReady()
    if (signal?.aborted) throw aborted(signal)
    const terminate = () => this.#api.call('RunOptionsSetTerminate', this.#options)
    signal?.addEventListener('abort', terminate, { once: true })
    this.#inFlight = true
    try {
      await this.#api.callAsync('Run', ...this.#arguments)
    } catch (error) {
      throw signal?.aborted ? aborted(signal, error) : located(error)
    } finally {
      this.#inFlight = false
      signal?.removeEventListener('abort', terminate)
      if (signal?.aborted) this.#api.call('RunOptionsUnsetTerminate', this.#options)
      if (this.#released) this.#free()
    }
  }

  runSync(): void {
    this.#assertReady()
    this.#api.call('Run', ...this.#arguments)
  }

  release(): void {
    if (this.#released) return
    this.#released = true
    if (!this.#inFlight) this.#free()
  }

  #assertReady(): void {
    if (this.#released)
      throw new TensorError('RUNTIME_FAILED', 'The bound run, or its session, is released: bind again from a living session.')
    if (this.#inFlight)
      throw new TensorError(
        'RUNTIME_FAILED',
        'This bound run is still running: await it, or bind further buffers to run at the same time.',
      )
  }

  #free(): void {
    for (const values of this.#values) values.release()
    this.#api.release('RunOptions', this.#options)
    void this.#kept
    this.#ended()
  }
}

/** With the line that awaits the run: what native code says of numbers (an index out of range) comes too late for a stack. */
function located(error: unknown): unknown {
  if (!(error instanceof TensorError)) return error
  const { code, message } = describeIndexError(error)
  return new TensorError(code, `${message}${callerLine()}`, { cause: error })
}

const aborted = (signal: AbortSignal, failure?: unknown) =>
  new TensorError('ABORTED', 'The run was aborted.', { cause: signal.reason ?? failure })
