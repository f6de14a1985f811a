import { SourceMap, type SourceMapPayload } from 'node:module'
import { resolve } from 'node:path'

// Stack traces of evaluated bundles in lines of the sources. Node applies source maps to files only, and only with a flag.

export class SourceStacks {
  readonly #code: string
  readonly #filename: string
  readonly #folder: string
  #map: SourceMap | undefined

  /** @param folder what the map's sources are relative to */
  constructor(code: string, filename: string, folder: string) {
    this.#code = code
    this.#filename = filename
    this.#folder = folder
  }

  /** The same error, its stack and those of its causes pointing into the sources. */
  explain(error: unknown): unknown {
    for (let one = error; one instanceof Error; one = one.cause) {
      if (one.stack?.includes(this.#filename)) one.stack = this.#rewrite(one.stack)
    }
    return error
  }

  /** The members of an object, each explaining what it throws or rejects with. */
  around<T extends object>(target: T): T {
    const members = Object.entries(target).map(([name, member]) => [
      name,
      typeof member === 'function' ? this.#aroundFunction(member.bind(target)) : member,
    ])
    return Object.fromEntries(members) as T
  }

  #aroundFunction(run: (...args: unknown[]) => unknown) {
    return (...args: unknown[]): unknown => {
      try {
        const answer = run(...args)
        if (!(answer instanceof Promise)) return answer
        return answer.catch((error: unknown) => {
          throw this.explain(error)
        })
      } catch (error) {
        throw this.explain(error)
      }
    }
  }

  #rewrite(stack: string): string {
    const map = (this.#map ??= readMap(this.#code))
    return stack
      .split('\n')
      .map((line) => {
        const at = line.indexOf(this.#filename)
        const place = at < 0 ? null : /^:(\d+):(\d+)/.exec(line.slice(at + this.#filename.length))
        if (!place) return line
        const origin = map.findOrigin(Number(place[1]), Number(place[2]))
        if (!('fileName' in origin)) return line
        const file = resolve(this.#folder, origin.fileName)
        const rest = line.slice(at + this.#filename.length + place[0].length)
        return `${line.slice(0, at)}${file}:${origin.lineNumber}:${origin.columnNumber}${rest}`
      })
      .join('\n')
  }
}

function readMap(code: string): SourceMap {
  const base64 = code.slice(code.lastIndexOf('base64,') + 'base64,'.length).trim()
  return new SourceMap(JSON.parse(Buffer.from(base64, 'base64').toString('utf8')) as SourceMapPayload)
}
