import { describe, expect, it } from 'vitest'
import { evaluate } from './compile.js'
import { TensorError } from './errors.js'
import { crossEntropy, dropout, linear, rmsNorm, scaledDotProductAttention, swiglu } from './functional/index.js'
import { grad } from './grad.js'
import { optimize } from './passes/index.js'
import { type Program, printProgram } from './program.js'
import type { Tensor } from './tensor.js'
import { elsewhere } from './testing/elsewhere.js'
import { trace } from './trace.js'

const numbers = (tensor: { data: ArrayLike<number | bigint> } | undefined) => Array.from(tensor!.data, Number)
const ops = (program: Program) => program.nodes.map((node) => node.op)

describe('tracing', () => {
  it('names the op, the shapes and the line of the caller when shapes do not fit', () => {
    const wrong = () => trace({ a: { shape: [2, 3] }, b: { shape: [4, 5] } }, ({ a, b }) => ({ y: elsewhere(() => a.matmul(b)) }))
    expect(wrong).toThrow(TensorError)
    expect(wrong).toThrow(/matmul: inner sizes 3 and 4 differ; shapes \[2, 3\] and \[4, 5\] \(at \/elsewhere\.js:1:/)
  })

  it('refuses mixed dtypes and says what to do', () => {
    const wrong = () => trace({ a: { shape: [2] }, b: { shape: [2], dtype: 'i64' } }, ({ a, b }) => ({ y: a.add(b) }))
    expect(wrong).toThrow(/add: expected f32, got i64\[2\]\. Use cast\(\) first/)
  })

  it('refuses a tensor of another trace', () => {
    let other: Tensor | undefined
    trace({ a: { shape: [] } }, ({ a }) => ({ y: (other = a) }))
    expect(() => trace({ b: { shape: [] } }, ({ b }) => ({ y: b.add(other!) }))).toThrow(/another trace/)
  })

  it('refuses reduced axes that are out of range or repeated', () => {
    const sum = (axes: number | number[]) => trace({ x: { shape: [2, 3] } }, ({ x }) => ({ y: x.sum(axes) })).values.at(-1)!.shape
    expect(sum(-2)).toEqual([3])
    expect(() => sum(-3)).toThrow(/sum: axis -3 is out of range; shapes \[2, 3\]/)
    expect(() => sum(2)).toThrow(/axis 2 is out of range/)
    expect(() => sum([1, -1])).toThrow(/axes \[1, 1\] must be different/)
  })

  it('lets the last causal query see the last key, and refuses more queries than keys', () => {
    const attend = (queries: number, keys: number, causal = true) =>
      trace({ q: { shape: [1, 1, queries, 2] }, k: { shape: [1, 1, keys, 2] } }, ({ q, k }) => ({
        y: scaledDotProductAttention(q, k, k, { causal }),
      }))
    expect(attend(2, 3).nodes).toHaveLength(1)
    expect(attend(3, 2, false).nodes).toHaveLength(1)
    expect(() => attend(3, 2)).toThrow(/attention: 3 causal queries cannot attend to 2 keys/)
  })

  it('keeps internal names apart from those that people give', async () => {
    const weight = { dtype: 'f32', shape: [1] } as const
    const names = ['captured.0', 'random.1', 'constant.2', 'value.3', 'temporary.0', 'scalar f32 2', 'ints 1:0', 'y'] as const
    const inputs = Object.fromEntries(names.map((name) => [name, { shape: [1] }]))
    const program = trace(inputs, (given, builder) => {
      const sum = names.map((name) => given[name]!).reduce((a, b) => a.add(b))
      return { 'value.9': sum.add(weight).add(builder.constant([8], [1])), 'value.10': sum.mul(2) }
    })
    const ones = Object.fromEntries(names.map((name) => [name, [1]]))
    const result = await evaluate(program, { ...ones, '#captured.0': [100] })
    expect([numbers(result['value.9']), numbers(result['value.10'])]).toEqual([[116], [16]])

    const wrong = (input: string, output: string) => () =>
      trace({ [input]: { shape: [1] } }, (x) => ({ [output]: x[input]!.neg() }))
    expect(wrong('#x', 'y')).toThrow(/The input '#x' starts with '#', which is kept for internal names/)
    expect(wrong('x', '#y')).toThrow(/The output '#y' starts with '#'/)
    expect(wrong('x', 'x')).toThrow(/'x' is an input and an output/)
  })

  it('captures and draws further tensors beside an inlined program that has some', () => {
    const first = trace({ x: { shape: [2] } }, ({ x }) => ({ y: dropout(x.add({ dtype: 'f32', shape: [2] }), 0.5) }), {
      training: true,
    })
    const both = trace(
      {},
      (_, builder) => {
        const y = builder.inline(first)[first.outputs[0]!.value]!
        return { z: dropout(y.add({ dtype: 'f32', shape: [2] }), 0.5) }
      },
      { training: true },
    )
    expect(both.inputs.map(({ name }) => name)).toEqual(['x', '#captured.0', '#random.0', '#captured.1', '#random.1'])
  })

  it('prints as text, a line a node', () => {
    expect(printProgram(trace({ x: { shape: [2] } }, ({ x }) => ({ y: x.mul(2) })))).toContain('mul(%0, %1)')
  })

  it('keeps sizes that are known only at run time', async () => {
    const program = trace({ x: { shape: ['n', 2] }, w: { shape: [2, 3] } }, ({ x, w }) => ({ y: x.matmul(w).relu() }))
    const run = (rows: number) =>
      evaluate(program, {
        x: { dtype: 'f32', shape: [rows, 2], data: new Float32Array(rows * 2).fill(1) },
        w: [1, 2, 3, 4, 5, 6],
      })
    expect((await run(1)).y).toMatchObject({ shape: [1, 3], data: Float32Array.of(5, 7, 9) })
    expect((await run(3)).y!.shape).toEqual([3, 3])
  })
})

describe('differentiation', () => {
  it('of a gradient gives the second derivative', async () => {
    const cube = trace({ x: { shape: [3] } }, ({ x }) => ({ y: x.mul(x).mul(x).sum() }))
    const first = grad(cube, { of: 'y', wrt: ['x'] })
    const summed = trace({}, (_, builder) => {
      const map = builder.inline(first)
      return { s: map[first.outputs.find(({ name }) => name === 'd.x')!.value]!.sum() }
    })
    const result = await evaluate(grad(summed, { of: 's', wrt: ['x'] }), { x: [1, 2, 3] })
    expect(numbers(result['d.x'])).toEqual([6, 12, 18])
  })

  it('by the same input again keeps the first gradient', async () => {
    const cube = trace({ x: { shape: [] } }, ({ x }) => ({ y: x.mul(x).mul(x) }))
    const first = grad(cube, { of: 'y', wrt: ['x'] })
    const second = grad(first, { of: 'd.x', wrt: ['x'] })
    const third = grad(second, { of: 'd.d.x', wrt: ['x'] })
    const result = await evaluate(third, { x: [2] })
    expect(Object.entries(result).map(([name, value]) => [name, numbers(value)[0]])).toEqual([
      ['y', 8],
      ['d.x', 12],
      ['d.d.x', 12],
      ['d.d.d.x', 6],
    ])
  })

  it('of a power is 0 where base and exponent are 0', async () => {
    const power = trace({ a: { shape: [4] }, b: { shape: [4] } }, ({ a, b }) => ({ y: a.pow(b).sum() }))
    const result = await evaluate(grad(power, { of: 'y', wrt: ['a', 'b'] }), { a: [0, 0, 0, 2], b: [0, 1, 2, 0] })
    expect(numbers(result['d.a'])).toEqual([0, 1, 0, 0])
    expect(numbers(result['d.b'])[3]).toBeCloseTo(Math.log(2))
  })

  it.each<[string, (x: Tensor) => Tensor]>([
    ['silu', (x) => x.silu()],
    ['rmsNorm', (x) => rmsNorm(x, x.builder.constant([1, 2, 3, 4], [4]), 1e-3)],
    ['swiglu', (x) => swiglu(x, x.mul(2))],
    ['softmax', (x) => x.softmax()],
    [
      'attention',
      (x) => {
        const q = x.reshape([1, 1, 2, 2])
        return scaledDotProductAttention(q, q, q).reshape([4])
      },
    ],
    ['crossEntropy', (x) => crossEntropy(x.reshape([2, 2]), x.builder.constant([0, 1], [2], 'i64'))],
  ])('second derivatives through %s agree with differences of the first', async (_name, f) => {
    const point = [0.3, -0.7, 1.1, 0.2]
    const loss = trace({ x: { shape: [4] } }, ({ x }) => ({ y: f(x).mul(f(x)).sum() }))
    const first = grad(loss, { of: 'y', wrt: ['x'] })
    const weights = [0.5, -1, 2, 0.25]
    const projected: Program = trace({}, (_, builder) => {
      const map = builder.inline(first)
      const d = map[first.outputs.find(({ name }) => name === 'd.x')!.value]!
      return { s: d.mul(builder.constant(weights, [4])).sum() }
    })
    const second = grad(projected, { of: 's', wrt: ['x'] })
    const got = numbers((await evaluate(second, { x: point }))['d.x'])
    const slope = async (x: number[]) =>
      numbers((await evaluate(first, { x }))['d.x']).reduce((sum, d, i) => sum + d * weights[i]!, 0)
    for (const i of point.keys()) {
      const h = 3e-3
      const above = await slope(point.map((value, j) => (i === j ? value + h : value)))
      const below = await slope(point.map((value, j) => (i === j ? value - h : value)))
      expect(got[i]!).toBeCloseTo((above - below) / (2 * h), 1)
    }
  })

  it('stops at stopGradient, and gives zeros where nothing depends on the input', async () => {
    const program = trace({ x: { shape: [2] }, z: { shape: [2] } }, ({ x }) => ({ y: x.stopGradient().mul(x).sum() }))
    const result = await evaluate(grad(program, { of: 'y', wrt: ['x', 'z'] }), { x: [3, 4], z: [0, 0] })
    expect(numbers(result['d.x'])).toEqual([3, 4])
    expect(numbers(result['d.z'])).toEqual([0, 0])
  })

  it('refuses outputs that are not scalar and names that do not exist', () => {
    const program = trace({ x: { shape: [2] } }, ({ x }) => ({ y: x.mul(2) }))
    expect(() => grad(program, { of: 'y', wrt: ['x'] })).toThrow(/needs a scalar.*sum\(\)/)
    expect(() => grad(program, { of: 'q', wrt: ['x'] })).toThrow(/No output 'q'\. Outputs: y/)
    const scalar = trace({ x: { shape: [] } }, ({ x }) => ({ y: x.mul(2) }))
    expect(() => grad(scalar, { of: 'y', wrt: ['q'] })).toThrow(/No input 'q'\. Inputs: x/)
  })
})

describe('passes', () => {
  it('compute equal expressions once and drop what nobody reads', () => {
    const program = trace({ x: { shape: [2] } }, ({ x }) => {
      x.exp().log()
      return { y: x.exp().add(x.exp()) }
    })
    expect(ops(optimize(program))).toEqual(['exp', 'add'])
  })

  it('turn transposes into flags of the product', async () => {
    const program = trace({ a: { shape: [3, 2] }, b: { shape: [4, 3] } }, ({ a, b }) => ({
      y: a.transpose().matmul(b.transpose()),
    }))
    expect(ops(optimize(program))).toEqual(['matmul'])
    const feeds = { a: [1, 2, 3, 4, 5, 6], b: [1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1] }
    expect(numbers((await evaluate(program, feeds)).y)).toEqual([1, 3, 5, 9, 2, 4, 6, 12])
  })

  it('fuse a product and a sum only where the product has no other reader', async () => {
    const shared = trace({ a: { shape: [2, 2] }, c: { shape: [2, 2] } }, ({ a, c }) => {
      const product = a.matmul(a)
      return { y: product.add(c), product }
    })
    expect(ops(optimize(shared))).toEqual(['matmul', 'add'])
    const alone = trace({ a: { shape: [2, 2] }, c: { shape: [2, 2] } }, ({ a, c }) => ({ y: c.add(a.matmul(a)) }))
    expect(ops(optimize(alone))).toEqual(['gemm'])
    expect(numbers((await evaluate(alone, { a: [1, 2, 3, 4], c: [1, 1, 1, 1] })).y)).toEqual([8, 11, 16, 23])
  })

  it('put results that no other node reads last, the first one last of all', () => {
    const loss = trace({ x: { shape: [2] }, v: { shape: [2] }, w: { shape: [2] } }, ({ x, v, w }) => ({
      loss: x.mul(v).tanh().mul(w).exp().sum(),
    }))
    const program = optimize(grad(loss, { of: 'loss', wrt: ['v', 'w'] }))
    const made = program.nodes
      .slice(-3)
      .map(({ outputs: [value] }) => program.outputs.find((output) => output.value === value)?.name)
    expect(made).toEqual(['d.v', 'd.w', 'loss'])
  })

  it('do not fuse a sum whose other operand is made later than the product', async () => {
    const program = trace({ a: { shape: [2, 2] } }, ({ a }) => {
      const early = a.matmul(a)
      const late = a.exp().log()
      return { y: early.add(late) }
    })
    expect(numbers((await evaluate(program, { a: [1, 2, 3, 4] })).y)).toEqual([8, 12, 18, 26])
  })
})

it('linear flattens leading dimensions and adds the bias', async () => {
  const program = trace({ x: { shape: [2, 1, 2] }, w: { shape: [3, 2] }, b: { shape: [3] } }, ({ x, w, b }) => ({
    y: linear(x, w, b),
  }))
  const { y } = await evaluate(program, { x: [1, 2, 3, 4], w: [1, 0, 0, 1, 1, 1], b: [10, 20, 30] })
  expect(y!.shape).toEqual([2, 1, 3])
  expect(numbers(y)).toEqual([11, 22, 33, 13, 24, 37])
})

describe('cross-entropy', () => {
  const loss = trace({ logits: { shape: [2, 3] }, targets: { shape: [2], dtype: 'i64' } }, ({ logits, targets }) => ({
    loss: crossEntropy(logits, targets),
  }))
  const program = grad(loss, { of: 'loss', wrt: ['logits'] })
  const withoutGradient = async (logits: number[], targets: number[]) => numbers((await evaluate(loss, { logits, targets })).loss)

  it('does not see what an ignored row holds, even -Infinity at the place it picks', async () => {
    const result = await evaluate(program, { logits: [Number.NEGATIVE_INFINITY, 0, 0, 0, 0, 0], targets: [-100, 1] })
    expect(numbers(result.loss)[0]).toBeCloseTo(Math.log(3))
    const expected = [0, 0, 0, 1 / 3, -2 / 3, 1 / 3]
    for (const [index, value] of numbers(result['d.logits']).entries()) expect(value).toBeCloseTo(expected[index]!)
    expect((await withoutGradient([Number.NEGATIVE_INFINITY, 0, 0, 0, 0, 0], [-100, 1]))[0]).toBeCloseTo(Math.log(3))
  })

  it('never takes a target that is no class for another class', async () => {
    const logits = [1, 2, 3, 4, 5, 6]
    for (const targets of [
      [-1, 1],
      [3, 1],
      [0, 2 ** 33],
    ])
      await expect(evaluate(program, { logits, targets })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    // Of those that the program computes, native code takes negative ones.
    const computed = trace({ logits: { shape: [2, 3] }, targets: { shape: [2], dtype: 'i64' } }, ({ logits, targets }) => ({
      loss: crossEntropy(logits, targets.add(0)),
    }))
    const result = await evaluate(grad(computed, { of: 'loss', wrt: ['logits'] }), { logits, targets: [-1, 1] })
    expect(numbers(result.loss)).toEqual([Number.NaN])
    expect(numbers(result['d.logits']).slice(0, 3)).toEqual([Number.NaN, Number.NaN, Number.NaN])
    expect(numbers((await evaluate(computed, { logits, targets: [0, -3] })).loss)).toEqual([Number.NaN])
  })
})

it('dropout is the identity outside of training, and asks for a random mask in it', () => {
  const body = ({ x }: { x: Tensor }) => ({ y: dropout(x, 0.5) })
  expect(trace({ x: { shape: [4] } }, body).nodes).toHaveLength(0)
  const training = trace({ x: { shape: [4] } }, body, { training: true })
  expect(training.inputs.map((input) => input.random)).toEqual([undefined, { kind: 'bernoulli', p: 0.5 }])
})
