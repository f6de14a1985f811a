import type { InferenceSession, OnnxValue, Tensor as OrtTensor } from 'onnxruntime-common'
import type { DType, HostTensor } from '../dtype.js'
import { TensorError } from '../errors.js'
import { describeIndexError } from './index-error.js'
import { matchTensors, type ValueInfo } from './match-tensors.js'
import type { BoundRun, Device, Runtime, Session, SessionOptions } from './runtime.js'

/** The part of the package `onnxruntime-web` that is used: `import * as ort from 'onnxruntime-web'` (or `/wasm`, `/webgpu`). */
export interface OrtWeb {
  readonly InferenceSession: { create(model: Uint8Array, options?: InferenceSession.SessionOptions): Promise<InferenceSession> }
  readonly Tensor: new (type: OrtTensor.Type, data: OrtTensor.DataType, dims: readonly number[]) => OrtTensor
  readonly env: { readonly versions: { readonly web?: string; readonly common: string }; readonly wasm: { numThreads?: number } }
}

/** Element types as ONNX Runtime's JavaScript interface names them. */
const typeNames: Partial<Record<DType, OrtTensor.Type>> = {
  f32: 'float32',
  u8: 'uint8',
  i8: 'int8',
  i32: 'int32',
  i64: 'int64',
  bool: 'bool',
  f16: 'float16',
}
const byTypeName = new Map<string, DType>(Object.entries(typeNames).map(([dtype, name]) => [name, dtype as DType]))

const optimizationLevels = { none: 'disabled', basic: 'basic', extended: 'extended', all: 'all' } as const

const failed = (error: unknown) =>
  describeIndexError(new TensorError('RUNTIME_FAILED', error instanceof Error ? error.message : String(error), { cause: error }))

/** Work that must not overlap: WebAssembly's ONNX Runtime does one thing at a time. */
class Queue {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(work: () => Promise<T>): Promise<T> {
    const running = this.#last.then(work)
    this.#last = running.catch(() => undefined)
    return running
  }
}

/**
 * ONNX Runtime's WebAssembly build (or WebGPU) as a runtime. Tensors are copied in and out of its memory on every run. The number
 * of threads is the page's, not a session's: set `ort.env.wasm.numThreads` before the first session.
 */
class WebRuntime implements Runtime {
  readonly name = 'onnxruntime-web'
  readonly version: string
  readonly #ort: OrtWeb
  readonly #queue = new Queue()

  constructor(ort: OrtWeb) {
    this.#ort = ort
    this.version = ort.env.versions.web ?? ort.env.versions.common
  }

  devices(): readonly Device[] {
    return 'gpu' in ((globalThis as { navigator?: object }).navigator ?? {}) ? ['cpu', 'webgpu'] : ['cpu']
  }

  async createSession(model: Uint8Array, options: SessionOptions = {}): Promise<Session> {
    const { device = 'cpu', optimization = 'all', memoryPattern = true, arena = true, initializers = {} } = options
    if (Object.keys(initializers).length > 0)
      throw new TensorError('RUNTIME_FAILED', 'In a browser weights must lie in the model: leave out `initializers`.')
    if (!this.devices().includes(device))
      throw new TensorError('DEVICE_UNAVAILABLE', `This browser has no '${device}': use one of ${this.devices().join(', ')}.`)
    try {
      const session = await this.#queue.run(() =>
        this.#ort.InferenceSession.create(model, {
          executionProviders: [device === 'webgpu' ? 'webgpu' : 'wasm'],
          graphOptimizationLevel: optimizationLevels[optimization],
          enableMemPattern: memoryPattern,
          enableCpuMemArena: arena,
          logSeverityLevel: 4,
        }),
      )
      return new WebSession(this.#ort, session, this.#queue)
    } catch (error) {
      if (device === 'cpu') throw failed(error)
      const message = `The device '${device}' does not start: use device 'cpu'. (${failed(error).message})`
      throw new TensorError('DEVICE_UNAVAILABLE', message, { cause: error })
    }
  }
}

const infoOf = (metadata: readonly InferenceSession.ValueMetadata[]): ValueInfo[] =>
  metadata.map((value) => ({
    name: value.name,
    dtype: value.isTensor ? byTypeName.get(value.type) : undefined,
    shape: value.isTensor ? value.shape.map((dim) => (typeof dim === 'number' ? dim : -1)) : [],
  }))

class WebSession implements Session {
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly #ort: OrtWeb
  readonly #session: InferenceSession
  readonly #queue: Queue
  #released = false

  constructor(ort: OrtWeb, session: InferenceSession, queue: Queue) {
    this.#ort = ort
    this.#session = session
    this.#queue = queue
    this.inputs = session.inputNames
    this.outputs = session.outputNames
  }

  bind(feeds: Readonly<Record<string, HostTensor>>, fetches: Readonly<Record<string, HostTensor>>): BoundRun {
    if (this.#released) throw releasedError('session')
    const inputs = matchTensors('Input', infoOf(this.#session.inputMetadata), feeds)
    const outputs = matchTensors('Output', infoOf(this.#session.outputMetadata), fetches)
    let running = false
    let released = false
    const run = async (signal?: AbortSignal) => {
      if (released || this.#released) throw releasedError('bound run, or its session,')
      if (running) throw new TensorError('RUNTIME_FAILED', 'This bound run is still running: await it, or bind further buffers.')
      running = true
      try {
        // A run of WebAssembly cannot be stopped; it is not begun, or its results are dropped.
        if (signal?.aborted) throw aborted(signal)
        await this.#queue.run(() => this.#run(inputs, outputs, signal))
      } finally {
        running = false
      }
    }
    return {
      run,
      runSync() {
        throw new TensorError('RUNTIME_FAILED', 'A browser computes only asynchronously: await run().')
      },
      release() {
        released = true
      },
    }
  }

  release(): void {
    if (this.#released) return
    this.#released = true
    void this.#queue.run(() => this.#session.release())
  }

  async #run(
    inputs: ReadonlyMap<string, HostTensor>,
    outputs: ReadonlyMap<string, HostTensor>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const feeds: Record<string, OnnxValue> = {}
    for (const [name, { dtype, data, shape }] of inputs)
      feeds[name] = new this.#ort.Tensor(typeNames[dtype]!, data as OrtTensor.DataType, shape)
    const results = await this.#session.run(feeds, [...outputs.keys()]).catch((error: unknown) => {
      throw failed(error)
    })
    if (signal?.aborted) throw aborted(signal)
    for (const [name, { shape, data }] of outputs) {
      const result = results[name] as OrtTensor
      if (result.dims.join() !== shape.join())
        throw new TensorError('SHAPE_MISMATCH', `Output '${name}' came out as [${result.dims}], its buffer is [${shape}].`)
      ;(data as { set(values: unknown): void }).set(await result.getData())
      result.dispose()
    }
  }
}

const releasedError = (what: string) => new TensorError('RUNTIME_FAILED', `The ${what} is released: create it again.`)
const aborted = (signal: AbortSignal) => new TensorError('ABORTED', 'The run was aborted.', { cause: signal.reason })

/** ONNX Runtime for the web as a runtime: `webRuntime(await import('onnxruntime-web'))`. A browser uses it by itself. */
export function webRuntime(ort: OrtWeb): Runtime {
  return new WebRuntime(ort)
}
