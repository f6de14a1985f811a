import koffi, { type KoffiFunc } from 'koffi'
import { TensorError } from '../errors.js'

/** Address of a native object or buffer. */
export type Pointer = bigint

/** The function table is append-only: a newer library still serves this version with these slots. */
const apiVersion = 17

/**
 * Functions that return an `OrtStatus*` (null when all is well): the index of each in `OrtApi` (onnxruntime_c_api.h) and the types
 * of its arguments.
 */
const functions = {
  CreateEnv: [3, ['int', 'str', 'void *']],
  CreateSessionFromArray: [8, ['void *', 'void *', 'size_t', 'void *', 'void *']],
  Run: [9, ['void *', 'void *', 'void *', 'void *', 'size_t', 'void *', 'size_t', 'void *']],
  CreateSessionOptions: [10, ['void *']],
  EnableProfiling: [14, ['void *', 'void *']],
  EnableMemPattern: [16, ['void *']],
  DisableMemPattern: [17, ['void *']],
  EnableCpuMemArena: [18, ['void *']],
  DisableCpuMemArena: [19, ['void *']],
  SetSessionGraphOptimizationLevel: [23, ['void *', 'int']],
  SetIntraOpNumThreads: [24, ['void *', 'int']],
  SetInterOpNumThreads: [25, ['void *', 'int']],
  SessionGetInputCount: [30, ['void *', 'void *']],
  SessionGetOutputCount: [31, ['void *', 'void *']],
  SessionGetInputTypeInfo: [33, ['void *', 'size_t', 'void *']],
  SessionGetOutputTypeInfo: [34, ['void *', 'size_t', 'void *']],
  SessionGetInputName: [36, ['void *', 'size_t', 'void *', 'void *']],
  SessionGetOutputName: [37, ['void *', 'size_t', 'void *', 'void *']],
  CreateRunOptions: [39, ['void *']],
  RunOptionsSetTerminate: [46, ['void *']],
  RunOptionsUnsetTerminate: [47, ['void *']],
  CreateTensorWithDataAsOrtValue: [49, ['void *', 'void *', 'size_t', 'void *', 'size_t', 'int', 'void *']],
  CastTypeInfoToTensorInfo: [55, ['void *', 'void *']],
  GetTensorElementType: [60, ['void *', 'void *']],
  GetDimensionsCount: [61, ['void *', 'void *']],
  GetDimensions: [62, ['void *', 'void *', 'size_t']],
  CreateCpuMemoryInfo: [69, ['int', 'int', 'void *']],
  AllocatorFree: [76, ['void *', 'void *']],
  GetAllocatorWithDefaultOptions: [78, ['void *']],
  GetAvailableProviders: [125, ['void *', 'void *']],
  ReleaseAvailableProviders: [126, ['void *', 'int']],
  AddSessionConfigEntry: [130, ['void *', 'str', 'str']],
  AddInitializer: [150, ['void *', 'str', 'void *']],
  SessionOptionsAppendExecutionProvider_CUDA_V2: [204, ['void *', 'void *']],
  CreateCUDAProviderOptions: [205, ['void *']],
  AddExternalInitializers: [210, ['void *', 'void *', 'void *', 'size_t']],
  SessionOptionsAppendExecutionProvider: [216, ['void *', 'str', 'void *', 'void *', 'size_t']],
} as const

/** Functions that free one native object. */
const releases = {
  Status: 93,
  MemoryInfo: 94,
  Session: 95,
  Value: 96,
  RunOptions: 97,
  TypeInfo: 98,
  SessionOptions: 100,
  CUDAProviderOptions: 208,
} as const

const getErrorMessageSlot = 2
const pointerBytes = 8

/** Native code runs on a stack that koffi allocates; 128 KiB, its default for asynchronous calls, is too little for matrix kernels. */
const asyncStackBytes = 4 * 2 ** 20

type Argument = Pointer | number | string | null | ArrayBufferView
type StatusFunction = KoffiFunc<(...args: Argument[]) => Pointer | null>

export type FunctionName = keyof typeof functions
export type Releasable = keyof typeof releases

/** ONNX Runtime's C API. Statuses become errors and are released here; every other object is the caller's to release. */
export interface OrtApi {
  readonly version: string
  /** @throws TensorError RUNTIME_FAILED with the runtime's message */
  call(name: FunctionName, ...args: Argument[]): void
  /** Calls on another thread. Buffers passed by address must stay referenced until the promise settles; others are kept here. */
  callAsync(name: FunctionName, ...args: Argument[]): Promise<void>
  /** Calls a function whose last argument receives a pointer, and returns that pointer (0n for null). */
  create(name: FunctionName, ...args: Argument[]): Pointer
  release(kind: Releasable, object: Pointer): void
}

export function openOrtApi(libraryPath: string): OrtApi {
  if ((koffi.config().async_stack_size ?? 0) < asyncStackBytes) growAsyncStack()
  const base = loadLibrary(libraryPath)
  const getApi: (version: number) => Pointer | null = bind(base, 0, 'void *', ['uint32_t'])
  const getVersion: () => string = bind(base, 1, 'str', [])
  const version = getVersion()
  const api = getApi(apiVersion)
  if (api === null)
    throw new TensorError(
      'RUNTIME_UNAVAILABLE',
      `ONNX Runtime ${version} is older than 1.${apiVersion}: update 'onnxruntime-node'.`,
    )

  const getErrorMessage: (status: Pointer) => string = bind(api, getErrorMessageSlot, 'str', ['void *'])
  const bound = mapValues(functions, ([slot, types]): StatusFunction => bind(api, slot, 'void *', types))
  const free = mapValues(releases, (slot): ((object: Pointer) => void) => bind(api, slot, 'void', ['void *']))
  const check = (status: Pointer | null) => {
    if (status === null) return
    const message = getErrorMessage(status)
    free.Status(status)
    throw new TensorError('RUNTIME_FAILED', `ONNX Runtime: ${message.trim()}`)
  }
  // Buffers passed to a call in flight: nothing else need refer to them until it ends.
  const kept = new Set<readonly Argument[]>()
  const call: OrtApi['call'] = (name, ...args) => check(bound[name](...args))
  return {
    version,
    call,
    callAsync: (name, ...args) =>
      new Promise((resolve, reject) => {
        kept.add(args)
        bound[name].async(...args, (error, status) => {
          kept.delete(args)
          try {
            if (error) throw error
            check(status)
            resolve()
          } catch (failure) {
            reject(failure)
          }
        })
      }),
    create(name, ...args) {
      const slot = new BigUint64Array(1)
      call(name, ...args, slot)
      return slot[0]!
    },
    release: (kind, object) => free[kind](object),
  }
}

function growAsyncStack(): void {
  try {
    koffi.config({ async_stack_size: asyncStackBytes })
  } catch (cause) {
    throw new TensorError(
      'RUNTIME_UNAVAILABLE',
      `koffi was used before with async_stack_size below ${asyncStackBytes} bytes: raise it by koffi.config() before that use.`,
      { cause },
    )
  }
}

function loadLibrary(path: string): Pointer {
  try {
    pinLibrary(path)
    return koffi.load(path).func('OrtGetApiBase', 'void *', [])()
  } catch (cause) {
    throw new TensorError('RUNTIME_UNAVAILABLE', `${path} does not load: reinstall 'onnxruntime-node'.`, { cause })
  }
}

/**
 * Keeps the library mapped until the process ends: koffi unloads it when its handle is collected or its thread ends, while
 * function pointers and the threads of unreleased sessions still lead into it.
 */
function pinLibrary(path: string): void {
  const resolveNow = 2
  if (process.platform === 'win32') koffi.load('kernel32.dll').func('LoadLibraryW', 'void *', ['str16'])(path)
  else koffi.load(null).func('dlopen', 'void *', ['str', 'int'])(path, resolveNow)
}

const bind = (table: Pointer, slot: number, result: string, types: readonly string[]) =>
  koffi.decode(koffi.decode(table, slot * pointerBytes, 'void *'), koffi.proto(result, [...types]))

function mapValues<K extends string, V, R>(record: Readonly<Record<K, V>>, map: (value: V) => R): Record<K, R> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value as V)])) as Record<K, R>
}
