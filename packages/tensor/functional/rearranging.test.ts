import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { evaluate } from '../compile.js'
import { grad } from '../grad.js'
import type { Tensor } from '../tensor.js'
import { trace } from '../trace.js'
import {
  arange,
  bmm,
  diagonal,
  eye,
  full,
  linspace,
  meshgrid,
  oneHot,
  ones,
  outer,
  pad,
  repeat,
  repeatInterleave,
  roll,
  stack,
  tile,
  zeros,
} from './index.js'

interface Golden {
  readonly call: string
  readonly arguments: readonly unknown[]
  readonly shape: readonly number[]
  readonly outputs: readonly { readonly shape: readonly number[]; readonly data: readonly number[] }[]
  readonly gradient?: readonly number[]
}

/** From golden/rearranging.py. */
const cases = JSON.parse(readFileSync(new URL('../../golden/rearranging.json', import.meta.url), 'utf8')) as Golden[]

const sizeOf = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1)
/** The numbers of the script's `fill` and `index`. */
const fill = (shape: readonly number[]) => Array.from({ length: sizeOf(shape) }, (_, i) => Math.fround(Math.sin((i + 1) * 1.7)))
const index = (x: Tensor, shape: readonly number[], bound: number) =>
  x.builder.constant(
    Array.from({ length: sizeOf(shape) }, (_, i) => (i * 7) % bound),
    shape,
    'i64',
  )
const filled = (x: Tensor, shape: readonly number[]) => x.builder.constant(fill(shape), shape)
const sizeAt = (x: Tensor, axis: number) => x.shape.at(axis) as number

// biome-ignore lint/suspicious/noExplicitAny: the arguments come from JSON, for functions of many signatures
type Call = (x: Tensor, ...rest: any[]) => Tensor | Tensor[] | { values: Tensor; indices: Tensor }

const functions: Readonly<Record<string, Call>> = {
  roll,
  repeat,
  tile,
  repeatInterleave,
  diagonal,
  pad,
  slice: (x, axis, start, end, step) => x.slice(axis, start ?? undefined, end ?? undefined, step),
  stackWithNegative: (x, axis) => stack([x, x.neg()], axis),
  meshgridWithNegative: (x, indexing) => meshgrid([x, x.neg().slice(0, 0, 2)], indexing),
  outerWithSquare: (x) => outer(x, x.mul(x)),
  matmulWithFill: (x, shape) => x.matmul(filled(x, shape)),
  bmmWithFill: (x, shape) => bmm(x, filled(x, shape)),
  gather: (x, axis, shape) => x.gather(axis, index(x, shape, sizeAt(x, axis))),
  scatterAdd: (x, axis, shape) => x.scatterAdd(axis, index(x, shape, sizeAt(x, axis)), 2),
  scatter: (x, axis, shape, source) =>
    x.scatter(axis, index(x, shape, sizeAt(x, axis)), typeof source === 'number' ? source : filled(x, source)),
  takeAlongDim: (x, shape, axis) => x.takeAlongDim(index(x, shape, sizeAt(x, axis)), axis),
  maskedFill: (x, value) => x.maskedFill(x.greater(0), value),
  oneHot: (x, shape, classes) => oneHot(index(x, shape, 4), classes),
}

function results({ call, arguments: given }: Golden, x: Tensor): Tensor[] {
  const method = (...rest: unknown[]) => (x as unknown as Record<string, Call>)[call]!.apply(x, rest as never)
  const result = functions[call] ? functions[call](x, ...given) : method(...given)
  if (Array.isArray(result)) return result
  return 'values' in result ? [result.values, result.indices] : [result]
}

const title = ({ call, arguments: given, shape }: Golden) =>
  `${call}([${shape}], ${given.map((item) => JSON.stringify(item)).join(', ')})`

it.each(cases.map((golden) => [title(golden), golden] as const))(
  '%s is as in PyTorch, and so is its gradient',
  async (_, golden) => {
    const feeds = { x: fill(golden.shape) }
    const program = trace({ x: { shape: golden.shape } }, ({ x }) => {
      const outputs = results(golden, x)
      expect(outputs.map(({ shape }) => shape)).toEqual(golden.outputs.map(({ shape }) => shape))
      const named = Object.fromEntries(outputs.map((output, i) => [`y${i}`, output]))
      if (!golden.gradient) return named
      const loss = outputs
        .filter(({ dtype }) => dtype === 'f32')
        .map((y) => y.mul(filled(x, y.shape as number[])).sum())
        .reduce((a, b) => a.add(b))
      return { ...named, loss }
    })
    const got = await evaluate(golden.gradient ? grad(program, { of: 'loss', wrt: ['x'] }) : program, feeds)
    const close = (data: ArrayLike<number | bigint>, expected: readonly number[]) => {
      expect(data.length).toBe(expected.length)
      for (const [i, value] of Array.from(data, Number).entries()) expect(value).toBeCloseTo(expected[i]!, 5)
    }
    for (const [i, output] of golden.outputs.entries()) close(got[`y${i}`]!.data, output.data)
    if (golden.gradient) close(got['d.x']!.data, golden.gradient)
  },
)

it('makes tensors of known numbers', async () => {
  const program = trace({}, (_, builder) => ({
    zeros: zeros(builder, [2, 2]),
    ones: ones(builder, [3], 'i64'),
    scalar: full(builder, [], 7),
    empty: full(builder, [0, 2], 7),
    arange: arange(builder, 1, 8, 3),
    down: arange(builder, 1, -0.5, -0.5, 'f32'),
    nothing: arange(builder, 2, 2),
    linspace: linspace(builder, -1, 1, 5),
    eye: eye(builder, 2, 3),
  }))
  const got = await evaluate(program, {})
  expect(Object.fromEntries(Object.entries(got).map(([name, { data }]) => [name, Array.from(data, Number)]))).toEqual({
    zeros: [0, 0, 0, 0],
    ones: [1, 1, 1],
    scalar: [7],
    empty: [],
    arange: [1, 4, 7],
    down: [1, 0.5, 0],
    nothing: [],
    linspace: [-1, -0.5, 0, 0.5, 1],
    eye: [1, 0, 0, 0, 1, 0],
  })
  expect(got.arange!.dtype).toBe('i64')
})

it('sorts stably: equal elements keep their order, whichever way', async () => {
  const program = trace({ x: { shape: [40] } }, ({ x }) => ({
    up: x.sort().indices,
    down: x.sort(0, { descending: true }).indices,
    top: x.topK(3).indices,
  }))
  const x = Array.from({ length: 40 }, (_, i) => i % 3)
  const got = await evaluate(program, { x })
  const order = (sign: number) => x.map((_, i) => i).sort((a, b) => sign * (x[a]! - x[b]!))
  expect(Array.from(got.up!.data, Number)).toEqual(order(1))
  expect(Array.from(got.down!.data, Number)).toEqual(order(-1))
  expect(Array.from(got.top!.data, Number)).toEqual([2, 5, 8])
})
