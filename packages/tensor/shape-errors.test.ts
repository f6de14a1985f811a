import { runInThisContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { evaluate } from './compile.js'
import type { DType } from './dtype.js'
import { TensorError } from './errors.js'
import {
  bmm,
  concat,
  conv2d,
  crossEntropy,
  customGradient,
  einsum,
  oneHot,
  pad,
  rmsNorm,
  roll,
  stack,
} from './functional/index.js'
import type { Tensor } from './tensor.js'
import { awaitedElsewhere, elsewhere } from './testing/elsewhere.js'
import { trace } from './trace.js'

type Inputs = readonly (readonly [shape: (number | string)[], dtype?: DType])[]

/** One line of a person's program that cannot work, and what the message says of it. */
const mistakes: readonly [what: string, inputs: Inputs, line: (...x: Tensor[]) => Tensor | Tensor[], message: RegExp][] = [
  [
    'shapes that do not broadcast',
    [[[2, 3]], [[2, 4]]],
    (a, b) => a.add(b!),
    /^add: shapes do not broadcast; shapes \[2, 3\] and \[2, 4\]/,
  ],
  [
    'a missing dimension that would have to be 1',
    [[[3, 2]], [[3]]],
    (a, b) => a.mul(b!),
    /^mul: shapes do not broadcast; shapes \[3, 2\] and \[3\]/,
  ],
  [
    'different inner sizes',
    [[[2, 3]], [[2, 3]]],
    (a, b) => a.matmul(b!),
    /^matmul: inner sizes 3 and 2 differ; shapes \[2, 3\] and \[2, 3\]/,
  ],
  [
    'batches that differ',
    [[[5, 2, 3]], [[4, 3, 2]]],
    (a, b) => a.matmul(b!),
    /^matmul: shapes do not broadcast; shapes \[5\] and \[4\]/,
  ],
  [
    'a product with a scalar',
    [[[2, 3]], [[]]],
    (a, b) => a.matmul(b!),
    /^matmul: a scalar has no product of matrices.*shapes \[2, 3\] and \[\]/,
  ],
  [
    'no batch dimension',
    [[[2, 3]], [[3, 4]]],
    (a, b) => bmm(a, b!),
    /^bmm: expected \[B, N, M\] and \[B, M, P\]; shapes \[2, 3\] and \[3, 4\]/,
  ],
  [
    'an integer among floats',
    [[[2]], [[2], 'i64']],
    (a, b) => a.add(b!),
    /^add: expected f32, got i64\[2\]\. Use cast\(\) first/,
  ],
  [
    'a float as index',
    [[[4, 2]], [[3]]],
    (a, b) => a.gatherRows(b!),
    /^gatherRows: expected i64 or i32, got f32\[3\]\. Use cast\(\)/,
  ],
  [
    'a condition that is no boolean',
    [[[3]], [[3]]],
    (a, b) => a.where(b!, 0),
    /^where: expected bool, got f32\[3\]\. Use cast\(\)/,
  ],
  ['an axis that is not there', [[[2, 3]]], (a) => a.sum(2), /^sum: axis 2 is out of range; shapes \[2, 3\]/],
  ['an axis too far back', [[[2, 3]]], (a) => a.softmax(-3), /^softmax: axis -3 is out of range; shapes \[2, 3\]/],
  ['one axis twice', [[[2, 3]]], (a) => a.mean([0, -2]), /^mean: axes \[0, 0\] must be different.*\[2, 3\]/],
  [
    'a reshape to another size',
    [[[2, 3]]],
    (a) => a.reshape([4, 2]),
    /^reshape: the number of elements differs; shapes \[2, 3\] and \[4, 2\]/,
  ],
  [
    'a reshape whose hole does not fit',
    [[[2, 3]]],
    (a) => a.reshape([-1, 4]),
    /^reshape: the number of elements differs; shapes \[2, 3\] and \[-1, 4\]/,
  ],
  ['a permutation that repeats', [[[2, 3]]], (a) => a.permute([0, 0]), /^transpose: order \[0, 0\] is no permutation.*\[2, 3\]/],
  [
    'an expansion of what is not 1',
    [[[2, 3]]],
    (a) => a.expand([2, 6]),
    /^broadcastTo: does not broadcast to the target; shapes \[2, 3\] and \[2, 6\]/,
  ],
  ['a slice beyond the end', [[[2, 3]]], (a) => a.slice(1, 1, 5), /^slice: 1…5 is outside of dimension 1, 0…3; shapes \[2, 3\]/],
  [
    'a part beyond the end',
    [[[2, 3]]],
    (a) => a.narrow(1, -2, 3),
    /^narrow: 3 elements from -2 are not within dimension 1 of size 3; shapes \[2, 3\]/,
  ],
  [
    'a row that is not there',
    [[[2, 3]]],
    (a) => a.select(0, 2),
    /^select: dimension 0 of size 2 has no index 2; shapes \[2, 3\]/,
  ],
  [
    'a part of a size that only the run knows',
    [[['batch', 3]]],
    (a) => a.select(0, 0),
    /^select: needs a fixed size, but 'batch' is known only when the program runs/,
  ],
  [
    'floats and integers in a row',
    [[[2]], [[2], 'i64']],
    (a, b) => concat([a, b!]),
    /^concat: expected f32, got i64\[2\]\. Use cast\(\) first/,
  ],
  [
    'pieces that do not add up',
    [[[2, 5]]],
    (a) => a.split([2, 2], 1),
    /^split: sizes \[2, 2\] do not add up to dimension 1; shapes \[2, 5\]/,
  ],
  [
    'tensors that cannot stand in a row',
    [[[2, 3]], [[3, 4]]],
    (a, b) => concat([a, b!], 1),
    /^concat: sizes differ outside dimension 1; shapes \[2, 3\] and \[3, 4\]/,
  ],
  [
    'tensors that cannot be stacked',
    [[[2]], [[3]]],
    (a, b) => stack([a, b!]),
    /^stack: the tensors must have one shape; shapes \[2\] and \[3\]/,
  ],
  [
    'an index of another rank',
    [[[2, 3]], [[2], 'i64']],
    (a, b) => a.gather(1, b!),
    /^gather: the index needs the rank of x.*shapes \[2, 3\] and \[2\]/,
  ],
  [
    'a source unlike its index',
    [[[2, 3]], [[2, 1], 'i64'], [[1, 1]]],
    (a, b, c) => a.scatterAdd(1, b!, c!),
    /^scatterAdd: index and source must have one shape; shapes \[2, 1\] and \[1, 1\]/,
  ],
  [
    'more of the largest than there are',
    [[[2, 3]]],
    (a) => a.topK(4).values,
    /^topK: cannot take 4 of the 3 elements of dimension 1; shapes \[2, 3\]/,
  ],
  [
    'a mirror larger than the image',
    [[[1, 3]]],
    (a) => pad(a, [3, 0], { mode: 'reflect' }),
    /^pad: reflect cannot add 3 and 0 to dimension 1 of size 3; shapes \[1, 3\]/,
  ],
  [
    'channels that differ',
    [[[1, 3, 8, 8]], [[16, 4, 3, 3]]],
    (a, b) => conv2d(a, b!),
    /^conv.*channels.*\[1, 3, 8, 8\] and \[16, 4, 3, 3\]/,
  ],
  [
    'a weight of another size',
    [[[2, 4]], [[3]]],
    (a, b) => rmsNorm(a, b!),
    /^rmsNorm: the weight must have the size of the last dimension; shapes \[2, 4\] and \[3\]/,
  ],
  [
    'targets that are not one for each row',
    [[[8, 10]], [[4], 'i64']],
    (a, b) => crossEntropy(a, b!),
    /^crossEntropy: expected logits \[N, classes\] and targets \[N\]; shapes \[8, 10\] and \[4\]/,
  ],
  [
    'targets that are no class indices',
    [[[8, 10]], [[8]]],
    (a, b) => crossEntropy(a, b!),
    /^crossEntropy: expected i64, got f32\[8\]\. Use cast\(\)/,
  ],
  [
    'letters that disagree',
    [[[2, 3]], [[4, 2]]],
    (a, b) => einsum('ij,jk->ik', a, b!),
    /^einsum: 'ij,jk->ik': 'j' is 3 in one place and 4 in another; shapes \[2, 3\] and \[4, 2\]/,
  ],
  ['shifts without dimensions', [[[2, 3]]], (a) => roll(a, [1, 2], [0]), /^roll: 2 shifts for 1 dimensions; shapes \[2, 3\]/],
  [
    'a size that only the run knows',
    [[['batch', 3]]],
    (a) => a.flip(0).slice(0, 0, 1),
    /^slice: needs a fixed size, but 'batch' is known only when the program runs; shapes \[batch/,
  ],
  [
    'a gradient of another shape',
    [[[2]]],
    (a) => customGradient((x) => ({ output: x, vjp: (dy) => [dy.sum()] }), a),
    /^customGradient: gradient 0 has not the shape of its input; shapes \[\] and \[2\]/,
  ],
]

const messageOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    expect(error).toBeInstanceOf(TensorError)
    return (error as Error).message
  }
  throw new Error('nothing was thrown')
}

describe('a mistake is told in one sentence, with the op, the shapes and the line that made it', () => {
  it.each(mistakes)('%s', (_, inputs, line, expected) => {
    const specs = Object.fromEntries(inputs.map(([shape, dtype = 'f32'], i) => [`x${i}`, { shape, dtype }]))
    const message = messageOf(() =>
      trace<string>(specs, (given) => {
        const result = elsewhere(() => line(...inputs.map((_, i) => given[`x${i}`]!)))
        return { y: Array.isArray(result) ? result[0]! : result }
      }),
    )
    expect(message).toMatch(expected)
    expect(message).toMatch(/ \(at \/elsewhere\.js:1:\d+\)$/)
    expect(message.split('\n')).toHaveLength(1)
  })

  it('and that line is the one with the call, however deep it goes', () => {
    const text = ['(function deep(x, depth) {', '  if (depth > 0) return deep(x, depth - 1)', '  return x.matmul(x)', '})']
    const deep = runInThisContext(text.join('\n'), { filename: '/deep.js' }) as (x: Tensor, depth: number) => Tensor
    const message = messageOf(() => trace({ x: { shape: [2, 3] } }, ({ x }) => ({ y: deep(x, 30) })))
    expect(message).toMatch(/ \(at \/deep\.js:3:12\)$/)
  })
})

describe('a mistake that shows only when the program runs', () => {
  const program = trace({ table: { shape: [4, 2] }, rows: { shape: [3], dtype: 'i64' } }, ({ table, rows }) => ({
    y: table.gatherRows(rows),
  }))
  const table = [1, 2, 3, 4, 5, 6, 7, 8]
  const here = /\(at \/elsewhere\.js:1:\d+\)$/

  it.each([
    [
      'an index out of range',
      { table, rows: [0, 4, 1] },
      /^gatherRows: index 4 at position 1 of 'rows' is out of range: there are 4 rows, 0 … 3\./,
    ],
    [
      'an index below 0, which native code would take for one from the end',
      { table, rows: [0, 3, -1] },
      /^gatherRows: index -1 at position 2 of 'rows' is out of range: there are 4 rows, 0 … 3\./,
    ],
    [
      'an input of another shape',
      { table, rows: { dtype: 'i64', shape: [2], data: new BigInt64Array(2) } as const },
      /Input 'rows' must have shape \[3\], given \[2\]/,
    ],
    [
      'an input of another type',
      { table, rows: { dtype: 'f32', shape: [3], data: new Float32Array(3) } as const },
      /Input 'rows' must be i64, given f32/,
    ],
    ['too few numbers', { table: [1], rows: [0, 1, 2] }, /'table' has shape \[4,2\], 8 elements, but its data holds 1/],
  ])('%s', async (_, feeds, expected) => {
    const error = await awaitedElsewhere(() => evaluate(program, feeds)).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(TensorError)
    expect((error as Error).message).toMatch(expected)
    expect((error as Error).message).toMatch(here)
  })
})

describe('an index out of range', () => {
  const index = { shape: [2], dtype: 'i64' } as const
  type Body = (x: Tensor, i: Tensor) => Tensor
  const run = (body: Body, i: readonly number[]) =>
    evaluate(
      trace({ x: { shape: [3, 2] }, i: index }, ({ x, i }) => ({ y: body(x, i) })),
      { x: [1, 2, 3, 4, 5, 6], i },
      { threads: 1 },
    )

  it.each<[string, Body, string]>([
    ['gatherRows', (x, i) => x.gatherRows(i.reshape([1, 2])), 'there are 3 rows'],
    ['indexSelect', (x, i) => x.indexSelect(1, i), 'there are 2 rows'],
    ['gather', (x, i) => x.gather(0, i.reshape([1, 2])), 'there are 3 rows'],
    ['scatterAddRows', (x, i) => x.scatterAddRows(i.cast('i32'), x.slice(0, 0, 2)), 'there are 3 rows'],
    ['scatter', (x, i) => x.scatter(1, i.reshape([1, 2]), 0), 'there are 2 rows'],
    ['crossEntropy', (x, i) => crossEntropy(x.slice(0, 0, 2), i), 'there are 2 rows'],
  ])('of %s is named, and what there is', async (op, body, rows) => {
    await expect(run(body, [0, -1])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    for (const wrong of [-1, 3, 2 ** 40])
      await expect(run(body, [0, wrong])).rejects.toThrow(
        new RegExp(`^${op}: index ${wrong} at position 1 of 'i' is out of range: ${rows}`),
      )
  })

  it.each<[string, Body]>([
    ['gatherRows', (x, i) => x.gatherRows(i.mul(2))],
    ['gather', (x, i) => x.gather(0, i.mul(2).reshape([1, 2]))],
    ['scatterAddRows', (x, i) => x.scatterAddRows(i.mul(2), x.slice(0, 0, 2))],
    ['scatterAdd', (x, i) => x.scatterAdd(0, i.mul(2).reshape([1, 2]), 1)],
  ])('that the program computes for %s is an error of the same kind', async (op, body) => {
    const error = await run(body, [0, 4]).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect((error as Error).message).toMatch(new RegExp(`^${op}\\(f32\\[3, 2\\].* that the program computed is out of range`))
  })

  it('is found in constants before anything runs', async () => {
    const body: Body = (x) => x.gatherRows(x.builder.constant([0, -2], [2], 'i64'))
    await expect(run(body, [0, 0])).rejects.toThrow(/^gatherRows: index -2 at position 1 of 'constant' is out of range/)
  })

  it('is none where the loss ignores it', async () => {
    expect((await run((x, i) => crossEntropy(x.slice(0, 0, 2), i), [0, -100])).y!.data[0]).toBeCloseTo(Math.log(1 + Math.E), 5)
  })
})

it('no class is made of an index that is none', async () => {
  const program = trace({ i: { shape: [2], dtype: 'i64' } }, ({ i }) => ({ y: oneHot(i, 3) }))
  expect(Array.from((await evaluate(program, { i: [-1, 3] })).y!.data, Number)).toEqual([0, 0, 0, 0, 0, 0])
})
