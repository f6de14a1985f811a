import type { HostTensor } from '../dtype.js'

/** Where a session computes. Tensors always live in host memory; a GPU session copies them in and out of each run. */
export type Device = 'cpu' | 'webgpu' | 'cuda'

export interface SessionOptions {
  /** Threads inside one operator. Default: all that `os.availableParallelism()` reports. Results are bit-equal at a fixed number. */
  readonly threads?: number
  /** Whether idle threads spin for a moment before they sleep: faster for small models, at the price of CPU time. Default: true. */
  readonly spin?: boolean
  /** How far the graph is rewritten before it runs. Default: `all`. */
  readonly optimization?: 'none' | 'basic' | 'extended' | 'all'
  /** Plan one block of memory per run from the first run's pattern. Off saves up to 40 % of memory at ≤ 5 % of speed. Default: true. */
  readonly memoryPattern?: boolean
  /** Keep freed intermediates in an arena. Off costs 1.5–1.8× in time. Default: true. */
  readonly arena?: boolean
  /** Default: `cpu`. */
  readonly device?: Device
  /**
   * Constant weights that stay outside the model's bytes: each is the value of the initializer of that name, which the model
   * declares as external data (`data_location` EXTERNAL, any `location`). Kernels read them in place, or repack them once,
   * for as long as the session lives, so they must not change.
   */
  readonly initializers?: Readonly<Record<string, HostTensor>>
  /** Write a Chrome trace to `<profile>_<time>.json` when the session is released. */
  readonly profile?: string
  /** Further session configuration entries, as ONNX Runtime names them. */
  readonly config?: Readonly<Record<string, string>>
}

/** A model tied to buffers. One run at a time; several bound runs of one session may be in flight together. */
export interface BoundRun {
  /**
   * Computes the fetches from what the feeds hold, off the calling thread; neither may be touched until it settles.
   *
   * @throws TensorError ABORTED when `signal` fires, RUNTIME_FAILED with the runtime's message otherwise
   */
  run(signal?: AbortSignal): Promise<void>
  /** The same on the calling thread, for loops of runs so short that a round trip through the event loop would dominate. */
  runSync(): void
  /** Idempotent. While a run is in flight it takes effect when that run settles. */
  release(): void
}

/** A loaded model. Its memory is native: release it. */
export interface Session {
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /**
   * Ties inputs and outputs to typed arrays (over an `ArrayBuffer` or a `SharedArrayBuffer`), which are read and written in
   * place. Every input must be given; outputs that are not given are not stored.
   *
   * @throws TensorError UNKNOWN_INPUT, UNKNOWN_OUTPUT, DTYPE_MISMATCH, SHAPE_MISMATCH
   */
  bind(feeds: Readonly<Record<string, HostTensor>>, fetches: Readonly<Record<string, HostTensor>>): BoundRun
  /** Idempotent. Its bound runs end with it; a run in flight is finished first. */
  release(): void
}

/** Executes ONNX models. */
export interface Runtime {
  readonly name: string
  readonly version: string
  /** Devices this build can address; whether a GPU is present is known when a session is created on it. */
  devices(): readonly Device[]
  /**
   * Loads a model from the bytes of an ONNX `ModelProto`, off the calling thread.
   *
   * @throws TensorError DEVICE_UNAVAILABLE, RUNTIME_FAILED
   */
  createSession(model: Uint8Array, options?: SessionOptions): Promise<Session>
}
