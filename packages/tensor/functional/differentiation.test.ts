import { describe, expect, it } from 'vitest'
import { evaluate } from '../compile.js'
import { TensorError } from '../errors.js'
import { grad } from '../grad.js'
import { optimize } from '../passes/index.js'
import type { Program } from '../program.js'
import type { Tensor } from '../tensor.js'
import { trace } from '../trace.js'
import { checkpoint, customGradient, dropout, straightThrough } from './index.js'

const numbers = (tensor: { data: ArrayLike<number | bigint> } | undefined) => Array.from(tensor!.data, Number)
const count = (program: Program, op: string) => program.nodes.filter((node) => node.op === op).length
const scalarOf = (f: (x: Tensor) => Tensor, shape: number[] = [3]) => trace({ x: { shape } }, ({ x }) => ({ y: f(x).sum() }))
const gradients = async (f: (x: Tensor) => Tensor, x: number[]) =>
  numbers((await evaluate(grad(scalarOf(f), { of: 'y', wrt: ['x'] }), { x }))['d.x'])
/** d²(Σ f)/dx² of an elementwise f. */
async function second(f: (x: Tensor) => Tensor, x: number[]): Promise<number[]> {
  const first = grad(scalarOf(f), { of: 'y', wrt: ['x'] })
  const summed = trace({}, (_, builder) => {
    const map = builder.inline(first)
    return { s: map[first.outputs.find(({ name }) => name === 'd.x')!.value]!.sum() }
  })
  return numbers((await evaluate(grad(summed, { of: 's', wrt: ['x'] }), { x }))['d.x'])
}

describe('straightThrough', () => {
  it('has the value of one tensor and the gradient of another', async () => {
    const rounded = (x: Tensor) => straightThrough(x.round(), x.mul(2)).mul(x)
    const program = trace({ x: { shape: [3] } }, ({ x }) => ({ y: rounded(x) }))
    const { y } = await evaluate(program, { x: [0.5, 1.25, -2.75] })
    expect(numbers(y)).toEqual([0, 1.25, 8.25])
    // y = round(x) · x, of which the second factor also has a gradient.
    expect(await gradients(rounded, [0.5, 1.25, -2.75])).toEqual([1, 3.5, -8.5])
  })

  it('refuses tensors of different shapes', () => {
    expect(() => scalarOf((x) => straightThrough(x, x.sum()))).toThrow(
      /straightThrough: forward and surrogate must have one shape/,
    )
  })
})

/** x³ whose gradient is said to be 5x². */
const cube = (x: Tensor) => customGradient((a) => ({ output: a.mul(a).mul(a), vjp: (dy) => [dy.mul(a).mul(a).mul(5)] }), x)

describe('customGradient', () => {
  it('replaces the derivative, at several places of one program, within other expressions', async () => {
    expect(await gradients(cube, [1, 2, 3])).toEqual([5, 20, 45])
    expect(await gradients((x) => cube(x).mul(cube(x)), [1, 2, 3])).toEqual([10, 320, 2430])
    expect(await gradients((x) => cube(cube(x)), [1, 2, 3])).toEqual([25, 6400, 164025])
  })

  it('is differentiated in its turn, and survives being inlined', async () => {
    expect(await second(cube, [1, 2, 3])).toEqual([10, 20, 30])
  })

  it('takes several inputs, of which some have no gradient', async () => {
    const f = (x: Tensor) =>
      customGradient((a, b) => ({ output: a.mul(b), vjp: (dy) => [dy.mul(7), undefined] }), x, x.exp().stopGradient())
    expect(await gradients(f, [1, 2, 3])).toEqual([7, 7, 7])
  })

  it('costs nothing where nothing is differentiated', () => {
    const program = optimize(trace({ x: { shape: [3] } }, ({ x }) => ({ y: cube(x) })))
    expect(program.nodes.map(({ op }) => op)).toEqual(['mul', 'mul', 'customGradient'])
  })

  it('says so when the derivative is gone or does not fit', () => {
    const forgotten = () => grad(optimize(scalarOf(cube)), { of: 'y', wrt: ['x'] })
    expect(forgotten).toThrow(TensorError)
    expect(forgotten).toThrow(/customGradient: optimize\(\) has dropped the derivative\. Call grad\(\) before optimize\(\)/)
    const wrong = (vjp: (dy: Tensor) => Tensor[]) => () => scalarOf((x) => customGradient((a) => ({ output: a, vjp }), x))
    expect(wrong(() => [])).toThrow(/vjp gave 0 gradients for 1 inputs/)
    expect(wrong((dy) => [dy.sum()])).toThrow(/gradient 0 has not the shape of its input; shapes \[\] and \[3\]/)
  })
})

describe('checkpoint', () => {
  const weight = { dtype: 'f32', shape: [3, 3] } as const
  const body = (x: Tensor) => x.matmul(weight).tanh().exp().mul(x)
  const point = [0.1, -0.2, 0.3, 0.5, 0.7, -0.9]
  const feeds = { x: point, '#captured.0': [0.2, -0.1, 0.4, 0.3, 0.5, -0.6, 0.1, 0.7, -0.2] }
  const network = (block: (x: Tensor) => Tensor) =>
    grad(
      trace({ x: { shape: [2, 3] } }, ({ x }) => ({ loss: block(block(x)).sum() })),
      { of: 'loss', wrt: ['x', '#captured.0'] },
    )
  const recomputed = (x: Tensor) => checkpoint(body, x)

  it('changes neither the value nor any gradient, bit for bit, those of captured parameters included', async () => {
    expect(await evaluate(network(recomputed), feeds)).toEqual(await evaluate(network(body), feeds))
  })

  it('computes the body again behind the gradient, which the passes leave alone', () => {
    const [plain, again] = [optimize(network(body)), optimize(network(recomputed))]
    expect([count(plain, 'tanh'), count(again, 'tanh')]).toEqual([2, 4])
    expect(count(again, 'runAfter')).toBe(2)
    // No value from inside the forward bodies is read by anything but them.
    const readers = (value: number) => again.nodes.filter(({ inputs }) => inputs.includes(value)).length
    const forward = again.nodes.filter(({ op }) => op === 'tanh').slice(0, 2)
    for (const { outputs } of forward) expect(readers(outputs[0]!)).toBe(1)
  })

  it('nests, and has second derivatives', async () => {
    const f = (x: Tensor) => x.mul(x).mul(x)
    const nested = (x: Tensor) => checkpoint((a) => checkpoint((b) => b.mul(b), a).mul(a), x)
    expect(await gradients(nested, [1, 2, 3])).toEqual(await gradients(f, [1, 2, 3]))
    expect(await second(nested, [1, 2, 3])).toEqual([6, 12, 18])
  })

  it('keeps the masks of dropout', () => {
    const program = trace(
      { x: { shape: [2, 3] } },
      ({ x }) => ({ y: checkpoint((a) => dropout(a.tanh(), 0.5).exp(), x).sum() }),
      {
        training: true,
      },
    )
    expect(grad(program, { of: 'y', wrt: ['x'] }).inputs.filter(({ random }) => random)).toHaveLength(1)
  })
})
