import { ModuleError } from '../../errors.js'

// How a WebAssembly module and its manager talk. Exported functions take and give numbers (64-bit ones as big integers). One whose
// name begins with `json_` takes (pointer, length) of a JSON array of its arguments in UTF-8, in memory that the export
// `alloc(length)` gave, and returns pointer · 2³² + length of its answer in JSON. The export `reset()`, if there is one, is
// called after each such call and may free all of it. The one import there is is `env.abort`, which AssemblyScript asks for.

const prefix = 'json_'
/** Exports that are not for callers. */
const internal = new Set(['alloc', 'reset', 'abort'])

type Exported = (...args: (number | bigint)[]) => unknown

/** Methods by name → export. @throws ModuleError `BAD_MODULE` naming an import there is not, or what is missing */
export function methodsOf(id: string, module: WebAssembly.Module): Map<string, string> {
  const foreign = WebAssembly.Module.imports(module).find(({ module: from, name }) => from !== 'env' || name !== 'abort')
  if (foreign) {
    const message = `Module '${id}' imports ${foreign.module}.${foreign.name}; a WebAssembly module is given nothing but env.abort. Remove the import, or use runtime: process.`
    throw new ModuleError('BAD_MODULE', message, { module: id })
  }
  const exported = WebAssembly.Module.exports(module)
  const functions = exported.flatMap(({ name, kind }) => (kind === 'function' ? [name] : []))
  const methods = functions.filter((name) => !internal.has(name) && !name.startsWith('_'))
  const json = methods.find((name) => name.startsWith(prefix))
  const memory = exported.some(({ name, kind }) => name === 'memory' && kind === 'memory')
  if (json !== undefined && !(memory && functions.includes('alloc'))) {
    throw new ModuleError('BAD_MODULE', `Module '${id}' exports ${json}, but not memory and alloc(length). Export them.`, {
      module: id,
    })
  }
  return new Map(methods.map((name) => [name.startsWith(prefix) ? name.slice(prefix.length) : name, name]))
}

/** A running module. After an error it is in an unknown state: take a new one. */
export class Instance {
  readonly #exports: WebAssembly.Exports

  constructor(module: WebAssembly.Module) {
    const abort = (message: number, file: number, line: number, column: number) => {
      throw new Error(`${this.#text(message) || 'abort'} (${this.#text(file)}:${line}:${column})`)
    }
    this.#exports = new WebAssembly.Instance(module, { env: { abort } }).exports
    ;(this.#exports._initialize as Exported | undefined)?.()
  }

  get memory(): number {
    return (this.#exports.memory as WebAssembly.Memory | undefined)?.buffer.byteLength ?? 0
  }

  call(name: string, args: readonly unknown[]): unknown {
    const run = this.#exports[name] as Exported
    if (name.startsWith(prefix)) return this.#callJson(run, args)
    const wrong = args.findIndex((arg) => typeof arg !== 'number' && typeof arg !== 'bigint')
    if (wrong >= 0)
      throw new TypeError(
        `Argument ${wrong + 1} is a ${typeof args[wrong]}; '${name}' takes numbers. Export it as ${prefix}${name} for others.`,
      )
    return run(...(args as number[]))
  }

  #callJson(run: Exported, args: readonly unknown[]): unknown {
    const input = new TextEncoder().encode(JSON.stringify(args))
    const pointer = Number((this.#exports.alloc as Exported)(input.length)) >>> 0
    this.#bytes(pointer, input.length).set(input)
    const packed = BigInt.asUintN(64, BigInt(run(pointer, input.length) as bigint))
    const text = new TextDecoder('utf-8', { fatal: true }).decode(
      this.#bytes(Number(packed >> 32n), Number(packed & 0xffffffffn)),
    )
    ;(this.#exports.reset as Exported | undefined)?.()
    return text === '' ? undefined : JSON.parse(text)
  }

  #bytes(pointer: number, length: number): Uint8Array {
    const { buffer } = this.#exports.memory as WebAssembly.Memory
    if (pointer + length > buffer.byteLength) throw new RangeError('it points outside of its memory')
    return new Uint8Array(buffer, pointer, length)
  }

  // AssemblyScript's strings: UTF-16, their length in bytes before them.
  #text(pointer: number): string {
    const memory = this.#exports.memory as WebAssembly.Memory | undefined
    if (memory === undefined || pointer < 4 || pointer > memory.buffer.byteLength) return ''
    const length = new DataView(memory.buffer).getUint32(pointer - 4, true)
    const end = Math.min(pointer + length, memory.buffer.byteLength, pointer + 2000)
    return Buffer.from(memory.buffer, pointer, end - pointer).toString('utf16le')
  }
}
