import type { Attributes } from '../../program.js'
import { at, type Nd, nd, sum } from '../nd.js'
import type { OpCase, References } from './cases.js'

/** For each position of the result, the elements that its window sees, padding as undefined. */
function pool(x: Nd, attributes: Attributes, fold: (window: (number | undefined)[]) => number): Nd {
  const [kernel, stride, pads] = ['kernel', 'stride', 'pads'].map((name) => attributes[name] as readonly number[])
  const dilation = (attributes.dilation as readonly number[] | undefined) ?? kernel!.map(() => 1)
  const sizes = kernel!.map((taps, axis) => {
    const padded = x.shape[axis + 2]! + pads![axis]! + pads![axis + kernel!.length]!
    return Math.floor((padded - dilation[axis]! * (taps - 1) - 1) / stride![axis]!) + 1
  })
  const taps = kernel!.reduce<number[][]>(
    (all, size) => all.flatMap((tap) => Array.from({ length: size }, (_, index) => [...tap, index])),
    [[]],
  )
  return nd([...x.shape.slice(0, 2), ...sizes], ([n, c, ...position]) =>
    fold(
      taps.map((tap) => {
        const index = tap.map((offset, axis) => position[axis]! * stride![axis]! + offset * dilation[axis]! - pads![axis]!)
        const inside = index.every((i, axis) => i >= 0 && i < x.shape[axis + 2]!)
        return inside ? at(x, [n!, c!, ...index]) : undefined
      }),
    ),
  )
}

const maxOf = (window: readonly (number | undefined)[]) => Math.max(...window.flatMap((value) => value ?? []))
const averageOf = (window: readonly (number | undefined)[]) => sum(window.map((value) => value ?? 0)) / window.length

const windows: readonly OpCase[] = [
  { shapes: [[2, 3, 4, 6]], attributes: { kernel: [2, 2], stride: [2, 2], pads: [0, 0, 0, 0] } },
  { shapes: [[2, 1, 5, 4]], attributes: { kernel: [3, 2], stride: [1, 2], pads: [1, 0, 1, 0] } },
  { shapes: [[1, 2, 5, 5]], attributes: { kernel: [2, 3], stride: [2, 3], pads: [0, 1, 1, 1] } },
  { shapes: [[1, 2, 5, 7]], attributes: { kernel: [2, 2], stride: [2, 3], pads: [0, 0, 0, 0] } },
  { shapes: [[2, 2, 6]], attributes: { kernel: [3], stride: [3], pads: [0, 0] } },
  { shapes: [[1, 3, 7]], attributes: { kernel: [3], stride: [2], pads: [1, 1] } },
  { shapes: [[1, 1, 1, 1]], attributes: { kernel: [1, 1], stride: [1, 1], pads: [0, 0, 0, 0] } },
  { shapes: [[0, 2, 4, 4]], attributes: { kernel: [2, 2], stride: [2, 2], pads: [0, 0, 0, 0] } },
  { shapes: [[0, 1, 4]], attributes: { kernel: [2], stride: [1], pads: [0, 0] } },
]

export const pooling: References = {
  maxPool: {
    value: ([x], attributes) => pool(x!, attributes, maxOf),
    cases: [
      ...windows,
      { shapes: [[1, 2, 6, 7]], attributes: { kernel: [2, 3], stride: [1, 2], pads: [0, 1, 0, 1], dilation: [3, 2] } },
    ].map(({ shapes, attributes }) => ({
      shapes,
      attributes: { dilation: (attributes!.kernel as readonly number[]).map(() => 1), ...attributes },
    })),
  },
  avgPool: { value: ([x], attributes) => pool(x!, attributes, averageOf), cases: windows, terms: () => 9 },
  maxUnpool: {
    value: ([x, positions], { shape }) => {
      const result = nd(shape as readonly number[], () => 0)
      positions!.data.forEach((position, index) => {
        result.data[position] = x!.data[index]!
      })
      return result
    },
    // A bound of 1 makes every position 0; more than one element would meet there, which the op excludes.
    cases: [
      {
        shapes: [
          [1, 1, 1, 1],
          [1, 1, 1, 1],
        ],
        attributes: { shape: [1, 1, 2, 2] },
      },
      {
        shapes: [
          [1, 1, 1],
          [1, 1, 1],
        ],
        attributes: { shape: [1, 1, 3] },
      },
      {
        shapes: [
          [1, 1, 1, 1],
          [1, 1, 1, 1],
        ],
        attributes: { shape: [1, 1, 1, 1] },
      },
      {
        shapes: [
          [0, 2, 1, 1],
          [0, 2, 1, 1],
        ],
        attributes: { shape: [0, 2, 2, 2] },
      },
      {
        shapes: [
          [1, 1, 1, 1],
          [1, 1, 1, 1],
        ],
        attributes: { shape: [1, 1, 5, 3] },
      },
    ],
    integers: { 1: () => 1 },
  },
  upsample: {
    value: ([x], { factors }) => {
      const list = factors as readonly number[]
      const shape = x!.shape.map((size, axis) => (axis < 2 ? size : size * list[axis - 2]!))
      return nd(shape, ([n, c, ...position]) =>
        at(x!, [n!, c!, ...position.map((index, axis) => Math.floor(index / list[axis]!))]),
      )
    },
    cases: [
      { shapes: [[2, 3, 2, 3]], attributes: { factors: [2, 2] } },
      { shapes: [[1, 2, 3, 1]], attributes: { factors: [1, 3] } },
      { shapes: [[2, 1, 4]], attributes: { factors: [3] } },
      { shapes: [[1, 1, 1, 1]], attributes: { factors: [1, 1] } },
      { shapes: [[0, 2, 3, 3]], attributes: { factors: [2, 3] } },
    ],
  },
}
