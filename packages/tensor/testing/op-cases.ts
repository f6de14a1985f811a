import type { Builder } from '../builder.js'
import { type HostTensor, sizeOf } from '../dtype.js'
import type { OpName } from '../ops/index.js'
import type { Program } from '../program.js'
import { trace } from '../trace.js'
import type { Nd } from './nd.js'
import type { OpCase, OpReference } from './references/index.js'

/** Reproducible numbers in [0, 1). */
export function generator(seed: number) {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

/** Inputs for a case, as float64 for the reference and as host tensors of the op's dtypes (rounded to f32 first). */
export function inputsOf(reference: OpReference, { shapes }: OpCase, seed: number): { exact: Nd[]; host: HostTensor[] } {
  const random = generator(seed)
  const [low, high] = reference.domain ?? [-2, 2]
  const exact = shapes.map((shape, position): Nd => {
    const bound = reference.integers?.[position]?.(shapes)
    const draw = () => {
      if (bound !== undefined) return Math.floor(random() * bound)
      if (reference.booleans?.includes(position)) return Number(random() < 0.5)
      return Math.fround(low + (high - low) * random())
    }
    return { shape, data: Float64Array.from({ length: sizeOf(shape) }, draw) }
  })
  const host = exact.map(({ shape, data }, position): HostTensor => {
    if (reference.integers?.[position]) return { dtype: 'i64', shape, data: BigInt64Array.from(data, BigInt) }
    if (reference.booleans?.includes(position)) return { dtype: 'bool', shape, data: Uint8Array.from(data) }
    return { dtype: 'f32', shape, data: Float32Array.from(data) }
  })
  return { exact, host }
}

export const name = (index: number) => `x${index}`

/** The op applied to named inputs; output `y`, or for derivatives `loss` = Σ y^power · weights. */
export function programOf(
  op: OpName,
  host: readonly HostTensor[],
  { attributes = {} }: OpCase,
  weights?: Float32Array,
  power: 1 | 2 = 1,
): Program {
  const specs = Object.fromEntries(host.map(({ shape, dtype }, index) => [name(index), { shape, dtype }]))
  return trace<string>(specs, (inputs, builder: Builder) => {
    const [y] = builder.apply(
      op,
      host.map((_, index) => inputs[name(index)]!),
      attributes,
    )
    if (!weights) return { y: y! }
    return { loss: (power === 2 ? y!.mul(y!) : y!).mul(builder.constant(weights, y!.shape as number[])).sum() }
  })
}

export const feeds = (host: readonly HostTensor[]) => Object.fromEntries(host.map((tensor, index) => [name(index), tensor]))
