import { expect, it } from 'vitest'
import { evaluate } from './compile.js'
import { crossEntropy, linear } from './functional/index.js'
import { grad } from './grad.js'
import { map, matmul, type Nd, softmax, transpose } from './testing/nd.js'
import { trace } from './trace.js'

const shapes = { x: [4, 3], w1: [5, 3], b1: [5], w2: [2, 5] } as const
type Name = keyof typeof shapes
const names = Object.keys(shapes) as Name[]
const targets = [0, 1, 1, 0]

const each = <T>(f: (name: Name) => T): Record<Name, T> => ({ x: f('x'), w1: f('w1'), b1: f('b1'), w2: f('w2') })

/** Reproducible numbers in [-1, 1). */
const point = each((name): Nd => {
  const shape: readonly number[] = shapes[name]
  const size = shape.reduce((product, dim) => product * dim, 1)
  const data = Float64Array.from({ length: size }, (_, i) => Math.fround(Math.sin(17 * i + 5 * names.indexOf(name) + 1)))
  return { shape, data }
})
const direction = (name: Name, i: number) => Math.fround(Math.cos(3 * i + names.indexOf(name)))

/** The network in float64: x·w1ᵀ + b1, tanh, ·w2ᵀ, mean cross-entropy. */
function lossOf({ x, w1, b1, w2 }: Record<Name, Nd>): number {
  const hidden = map(
    Math.tanh,
    map((a, b) => a + b, matmul(x, transpose(w1)), b1),
  )
  const probabilities = softmax(matmul(hidden, transpose(w2)), 1)
  return targets.reduce((sum, target, row) => sum - Math.log(probabilities.data[2 * row + target]!), 0) / targets.length
}

it('second derivatives of a small network by all its weights and inputs agree with differences in float64', async () => {
  const specs = Object.fromEntries(names.map((name) => [name, { shape: shapes[name] }]))
  const network = trace<string>(specs, ({ x, w1, b1, w2 }, builder) => ({
    loss: crossEntropy(linear(linear(x!, w1!, b1!).tanh(), w2!), builder.constant(targets, [4], 'i64')),
  }))
  const first = grad(network, { of: 'loss', wrt: names })
  const slope = trace<string>({}, (_, builder) => {
    const values = builder.inline(first)
    const parts = names.map((name) => {
      const d = values[first.outputs.find((output) => output.name === `d.${name}`)!.value]!
      const along = Array.from(point[name].data, (_, i) => direction(name, i))
      return d.mul(builder.constant(along, shapes[name])).sum()
    })
    return { slope: parts.reduce((a, b) => a.add(b)) }
  })
  const feeds = Object.fromEntries(names.map((name) => [name, Array.from(point[name].data)]))
  const got = await evaluate(grad(slope, { of: 'slope', wrt: names }), feeds)

  const h = 1e-4
  /** The loss at the point, moved along the direction, with one number moved besides. */
  const at = (steps: number, name: Name, index: number, nudge: number) =>
    lossOf(
      each((other) => {
        const moved = (value: number, i: number) =>
          value + steps * h * direction(other, i) + (other === name && i === index ? nudge * h : 0)
        return { shape: shapes[other], data: point[other].data.map(moved) }
      }),
    )
  for (const name of names)
    for (const i of point[name].data.keys()) {
      const expected = (at(1, name, i, 1) - at(-1, name, i, 1) - at(1, name, i, -1) + at(-1, name, i, -1)) / (4 * h * h)
      expect(Number(got[`d.${name}`]!.data[i]), `${name}[${i}]`).toBeCloseTo(expected, 5)
    }
})
