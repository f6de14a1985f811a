import type { Attributes, Value } from '../program.js'
import { defineOps, expectDtype, fixed, type Gradients, normalizeAxis, shapeError } from './define.js'

interface Range {
  readonly axis: number
  readonly size: number
  readonly start: number
  readonly end: number
  readonly step: number
  /** How many elements it holds. */
  readonly count: number
}

function rangeOf(x: Value, { axis, start, end, step = 1 }: Attributes): Range {
  const at = normalizeAxis('slice', axis as number, x.shape)
  const size = fixed('slice', [x.shape[at]!])[0]!
  const [from, to, by] = [start as number, end as number, step as number]
  if (!(Number.isInteger(by) && by >= 1))
    throw shapeError('slice', `the step must be a whole number from 1, got ${by}`, [x.shape])
  if (!(from >= 0 && to <= size && from <= to))
    throw shapeError('slice', `${from}…${to} is outside of dimension ${at}, 0…${size}`, [x.shape])
  return { axis: at, size, start: from, end: to, step: by, count: Math.ceil((to - from) / by) }
}

const resized = (x: Value, axis: number, size: number): Value => ({
  shape: x.shape.map((dim, index) => (index === axis ? size : dim)),
  dtype: x.dtype,
})

/** Parts of a tensor along its dimensions, and their adjoints. */
export const slicing = defineOps({
  slice: {
    summary: 'every step-th element from start (inclusive) to end (exclusive) along one dimension',
    infer([x], attributes) {
      const { axis, count } = rangeOf(x!, attributes)
      return [resized(x!, axis, count)]
    },
    vjp({ inputs: [x], gradients: [dy], attributes }): Gradients {
      const { axis, size, start, end, step, count } = rangeOf(x!, attributes)
      if (step === 1 || count === 0) return [dy!.pad(axis, start, size - (count === 0 ? start : end))]
      // Zeros between the elements: a dimension of size `step` behind this one, of which the element is the first.
      const spread = dy!
        .unsqueeze(axis + 1)
        .pad(axis + 1, 0, step - 1)
        .flatten(axis, axis + 1)
      const reach = (count - 1) * step + 1
      return [spread.slice(axis, 0, reach).pad(axis, start, size - start - reach)]
    },
    lower({ inputs: [x], outputs: [y], attributes, emit, ints }) {
      const { axis, start, end, step } = rangeOf(x!, attributes)
      const range = [ints([start]), ints([end]), ints([axis]), ...(step === 1 ? [] : [ints([step])])]
      emit('Slice', [x!.name, ...range], {}, { outputs: [y!.name] })
    },
  },

  pad: {
    summary: 'a number (0 by default) before and after along one dimension',
    infer([x], { axis, before, after }) {
      const at = normalizeAxis('pad', axis as number, x!.shape)
      const [head, tail] = [before as number, after as number]
      if (!(head >= 0 && tail >= 0)) throw shapeError('pad', `cannot add ${head} before and ${tail} after`, [x!.shape])
      return [resized(x!, at, fixed('pad', [x!.shape[at]!])[0]! + head + tail)]
    },
    vjp({ inputs: [x], gradients: [dy], attributes: { axis, before } }): Gradients {
      const at = normalizeAxis('pad', axis as number, x!.shape)
      return [dy!.slice(at, before as number, (before as number) + (x!.shape[at] as number))]
    },
    lower({ inputs: [x], outputs: [y], attributes: { axis, before, after, value = 0 }, emit, ints, scalar }) {
      const at = normalizeAxis('pad', axis as number, x!.shape)
      const pads = [before, after].flatMap((amount) => x!.shape.map((_, index) => (index === at ? (amount as number) : 0)))
      emit('Pad', [x!.name, ints(pads), scalar(value as number, x!.dtype)], {}, { outputs: [y!.name] })
    },
  },

  flip: {
    summary: 'the elements in reverse order along some dimensions',
    infer([x], { axes }) {
      const list = (axes as readonly number[]).map((axis) => normalizeAxis('flip', axis, x!.shape))
      if (new Set(list).size !== list.length) throw shapeError('flip', `axes [${list.join(', ')}] repeat`, [x!.shape])
      return [x!]
    },
    vjp: ({ gradients: [dy], attributes: { axes } }) => [dy!.flip(axes as readonly number[])],
    lower({ inputs: [x], outputs: [y], attributes: { axes }, emit, ints }) {
      const list = axes as readonly number[]
      const all = (value: number) => ints(list.map(() => value))
      if (list.length === 0) emit('Identity', [x!.name], {}, { outputs: [y!.name] })
      else emit('Slice', [x!.name, all(-1), all(-(2 ** 31)), ints(list), all(-1)], {}, { outputs: [y!.name] })
    },
  },

  triangle: {
    summary: 'the upper or lower triangle of matrices: elements on the wrong side of a diagonal are 0',
    infer([x], { upper }) {
      const name = upper ? 'triu' : 'tril'
      expectDtype(name, x!, 'f32', 'i64', 'bool')
      if (x!.shape.length < 2) throw shapeError(name, 'needs at least two dimensions', [x!.shape])
      return [x!]
    },
    vjp: ({ gradients: [dy], attributes: { upper, diagonal } }) => [
      upper ? dy!.triu(diagonal as number) : dy!.tril(diagonal as number),
    ],
    lower({ inputs: [x], outputs: [y], attributes: { upper, diagonal }, emit, ints }) {
      emit('Trilu', [x!.name, ints([diagonal as number], [])], { upper: Number(upper) }, { outputs: [y!.name] })
    },
  },
})
