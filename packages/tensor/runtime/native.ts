import { availableParallelism } from 'node:os'
import type { HostTensor } from '../dtype.js'
import { TensorError } from '../errors.js'
import { libraryPath } from './library-path.js'
import { assertConsistent } from './match-tensors.js'
import { cString, NameArray, readCString, readPointers, ValueArray } from './native-memory.js'
import { NativeSession } from './native-session.js'
import { type OrtApi, openOrtApi, type Pointer } from './ort-api.js'
import type { Device, Runtime, Session, SessionOptions } from './runtime.js'

const logFatalOnly = 4 // failures arrive as statuses; the library need not print them too
const deviceAllocator = 0
const defaultMemory = 0
const optimizationLevels = { none: 0, basic: 1, extended: 2, all: 99 } as const

const providers: Readonly<Record<string, Device>> = {
  CPUExecutionProvider: 'cpu',
  WebGpuExecutionProvider: 'webgpu',
  CUDAExecutionProvider: 'cuda',
}

const fileNameEncoding = process.platform === 'win32' ? 'utf16le' : 'utf8'

/** ONNX Runtime's shared library, called in this process without copies. */
class NativeRuntime implements Runtime {
  readonly name = 'onnxruntime'
  readonly version: string
  readonly #api: OrtApi
  readonly #env: Pointer
  readonly #memoryInfo: Pointer

  constructor(api: OrtApi) {
    this.#api = api
    this.version = api.version
    this.#env = api.create('CreateEnv', logFatalOnly, 'enigma')
    this.#memoryInfo = api.create('CreateCpuMemoryInfo', deviceAllocator, defaultMemory)
  }

  devices(): readonly Device[] {
    const list = new BigUint64Array(1)
    const count = new Int32Array(1)
    this.#api.call('GetAvailableProviders', list, count)
    const names = readPointers(list[0]!, count[0]!).map(readCString)
    this.#api.call('ReleaseAvailableProviders', list[0]!, count[0]!)
    return names.flatMap((name) => providers[name] ?? []).reverse()
  }

  async createSession(model: Uint8Array, options: SessionOptions = {}): Promise<Session> {
    const api = this.#api
    const nativeOptions = api.create('CreateSessionOptions')
    const session = new BigUint64Array(1)
    let initializers: Initializers | undefined
    try {
      this.#configure(nativeOptions, options)
      initializers = new Initializers(api, this.#memoryInfo, options.initializers ?? {})
      initializers.addTo(nativeOptions)
      await api.callAsync('CreateSessionFromArray', this.#env, model, model.byteLength, nativeOptions, session)
      return new NativeSession(api, session[0]!, this.#memoryInfo, initializers)
    } catch (error) {
      if (session[0] !== 0n) api.release('Session', session[0]!)
      initializers?.release()
      throw describeFailure(error, options.device)
    } finally {
      api.release('SessionOptions', nativeOptions)
    }
  }

  #configure(native: Pointer, options: SessionOptions): void {
    const api = this.#api
    const { threads = availableParallelism(), spin = true, device = 'cpu', profile, config = {} } = options
    if (!Number.isInteger(threads) || threads < 1)
      throw new TensorError('RUNTIME_FAILED', `threads must be a whole number of at least 1, given ${threads}.`)
    api.call('SetIntraOpNumThreads', native, threads)
    api.call('SetInterOpNumThreads', native, 1)
    api.call('SetSessionGraphOptimizationLevel', native, optimizationLevels[options.optimization ?? 'all'])
    api.call((options.memoryPattern ?? true) ? 'EnableMemPattern' : 'DisableMemPattern', native)
    api.call((options.arena ?? true) ? 'EnableCpuMemArena' : 'DisableCpuMemArena', native)
    if (profile !== undefined) api.call('EnableProfiling', native, cString(profile, fileNameEncoding))
    const entries = { 'session.intra_op.allow_spinning': spin ? '1' : '0', ...config }
    for (const [key, value] of Object.entries(entries)) api.call('AddSessionConfigEntry', native, key, value)
    if (device !== 'cpu') this.#appendProvider(native, device)
  }

  #appendProvider(native: Pointer, device: Exclude<Device, 'cpu'>): void {
    const available = this.devices()
    if (!available.includes(device))
      throw new TensorError(
        'DEVICE_UNAVAILABLE',
        `This build of ONNX Runtime has no '${device}': use one of ${available.join(', ')}.`,
      )
    if (device === 'webgpu') this.#api.call('SessionOptionsAppendExecutionProvider', native, 'WebGPU', null, null, 0)
    else {
      const cuda = this.#api.create('CreateCUDAProviderOptions')
      try {
        this.#api.call('SessionOptionsAppendExecutionProvider_CUDA_V2', native, cuda)
      } finally {
        this.#api.release('CUDAProviderOptions', cuda)
      }
    }
  }
}

/** Weights that a session reads in place: what `SessionOptions.initializers` names. */
class Initializers {
  readonly #api: OrtApi
  readonly #names: NameArray
  readonly #values: ValueArray

  constructor(api: OrtApi, memoryInfo: Pointer, tensors: Readonly<Record<string, HostTensor>>) {
    for (const [name, tensor] of Object.entries(tensors)) assertConsistent(name, tensor)
    this.#api = api
    this.#names = new NameArray(Object.keys(tensors))
    this.#values = new ValueArray(api, memoryInfo, Object.values(tensors))
  }

  addTo(options: Pointer): void {
    if (this.#values.tensors.length === 0) return
    const { pointers } = this.#names
    // The first lets the optimizer see the values (it would fold placeholders otherwise); the second has kernels read them in
    // place instead of copying.
    this.#api.call('AddExternalInitializers', options, pointers, this.#values.pointers, pointers.length)
    this.#names.names.forEach((name, index) => {
      this.#api.call('AddInitializer', options, name, this.#values.pointers[index]!)
    })
  }

  release(): void {
    this.#values.release()
  }
}

/** What a device needs that does not start. */
const remedies: Readonly<Record<Exclude<Device, 'cpu'>, string>> = {
  webgpu: 'install a graphics driver (Vulkan on Linux)',
  cuda: 'install CUDA 12, its driver, and its part of ONNX Runtime (ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node)',
}

/** A device that does not start shows as a failure to create the session. */
function describeFailure(error: unknown, device: Device = 'cpu'): unknown {
  if (device === 'cpu' || !(error instanceof TensorError) || error.code !== 'RUNTIME_FAILED') return error
  const message = `The device '${device}' does not start: ${remedies[device]}, or use device 'cpu'. (${error.message})`
  return new TensorError('DEVICE_UNAVAILABLE', message, { cause: error })
}

// One library and one environment serve every session of a thread; the native side is shared by all threads of the process.
let loading: Promise<Runtime> | undefined

/**
 * ONNX Runtime from the package `onnxruntime-node`, loaded at the first call.
 *
 * @throws TensorError RUNTIME_UNAVAILABLE when the library is missing or does not load here
 */
export function nativeRuntime(): Promise<Runtime> {
  loading ??= Promise.resolve().then(() => new NativeRuntime(openOrtApi(libraryPath())))
  return loading
}
