import { methodOf, type Shape, shapeOf } from '../wire/facade.js'

/** The objects of this side that the host may call: what `load` returned, and what was provided. Nothing else can be reached. */
export class GuestObjects {
  readonly #objects: object[] = []

  /** The same object has the same number. Plain values cross as they are, without one. */
  give(value: unknown): { object?: number; shape?: Shape; value?: unknown } {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return { value }
    const shape = shapeOf(value)
    const known = this.#objects.indexOf(value)
    return { object: known >= 0 ? known : this.#objects.push(value) - 1, shape }
  }

  call(object: number, method: string, args: readonly unknown[]): unknown {
    return methodOf(this.#objects[object], method)(...args)
  }
}
