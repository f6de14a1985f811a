import { sizeOf } from '../../dtype.js'
import type { Attributes } from '../../program.js'
import type { Nd } from '../nd.js'
import type { OpCase, References } from './cases.js'

type Shape = readonly number[]

const ravel = (index: Shape, shape: Shape) => index.reduce((flat, i, axis) => flat * shape[axis]! + i, 0)

function* indices(shape: Shape): Generator<number[]> {
  const count = sizeOf(shape)
  for (let flat = 0; flat < count; flat++) {
    let rest = flat
    yield [...shape]
      .reverse()
      .map((size) => {
        const index = rest % size
        rest = Math.floor(rest / size)
        return index
      })
      .reverse()
  }
}

/** Every triple of flat positions (in x [N, C, …], weight [O, C/groups, …], y [N, O, …]) that a convolution multiplies. */
function* meetings(x: Shape, weight: Shape, y: Shape, { stride, pads, dilation, groups }: Attributes) {
  const perGroup = weight[0]! / (groups as number)
  for (const [n, o, ...position] of indices(y))
    for (const [c, ...tap] of indices(weight.slice(1))) {
      const at = position.map(
        (p, axis) => p * (stride as Shape)[axis]! + tap[axis]! * (dilation as Shape)[axis]! - (pads as Shape)[axis]!,
      )
      if (at.some((i, axis) => i < 0 || i >= x[axis + 2]!)) continue
      const channel = Math.floor(o! / perGroup) * weight[1]! + c!
      yield [ravel([n!, channel, ...at], x), ravel([o!, c!, ...tap], weight), ravel([n!, o!, ...position], y)] as const
    }
}

const extent = (size: number, kernel: number, axis: number, { stride, pads, dilation }: Attributes) => {
  const list = pads as Shape
  const padded = size + list[axis]! + list[axis + list.length / 2]!
  return Math.floor((padded - (dilation as Shape)[axis]! * (kernel - 1) - 1) / (stride as Shape)[axis]!) + 1
}

const filled = (shape: Shape, bias: Nd | undefined): Nd => {
  const inner = sizeOf(shape.slice(2))
  return {
    shape,
    data: Float64Array.from({ length: sizeOf(shape) }, (_, flat) => bias?.data[Math.floor(flat / inner) % shape[1]!] ?? 0),
  }
}

const settings = (
  [stride, pads, dilation]: readonly [Shape, Shape, Shape],
  groups: number,
  rest: Attributes = {},
): Attributes => ({ stride, pads, dilation, groups, ...rest })

/** Shapes of x and weight with settings; the other two ops take their shapes from the same list. */
const layouts: readonly {
  readonly x: Shape
  readonly weight: Shape
  readonly bias?: boolean
  readonly attributes: Attributes
}[] = [
  {
    x: [2, 3, 5, 4],
    weight: [4, 3, 3, 3],
    bias: true,
    attributes: settings(
      [
        [1, 1],
        [1, 1, 1, 1],
        [1, 1],
      ],
      1,
    ),
  },
  {
    x: [1, 2, 6, 7],
    weight: [2, 2, 3, 2],
    attributes: settings(
      [
        [2, 3],
        [1, 0, 1, 0],
        [1, 1],
      ],
      1,
    ),
  },
  {
    x: [2, 4, 7, 6],
    weight: [6, 2, 2, 3],
    bias: true,
    attributes: settings(
      [
        [2, 1],
        [0, 2, 1, 1],
        [3, 2],
      ],
      2,
    ),
  },
  {
    x: [2, 3, 4, 4],
    weight: [3, 1, 3, 3],
    attributes: settings(
      [
        [1, 1],
        [1, 1, 1, 1],
        [1, 1],
      ],
      3,
    ),
  },
  {
    x: [1, 1, 1, 1],
    weight: [1, 1, 1, 1],
    bias: true,
    attributes: settings(
      [
        [1, 1],
        [0, 0, 0, 0],
        [1, 1],
      ],
      1,
    ),
  },
  {
    x: [0, 2, 4, 4],
    weight: [3, 2, 2, 2],
    bias: true,
    attributes: settings(
      [
        [2, 2],
        [0, 0, 0, 0],
        [1, 1],
      ],
      1,
    ),
  },
  {
    x: [2, 3, 1, 1],
    weight: [2, 3, 3, 3],
    attributes: settings(
      [
        [1, 1],
        [1, 1, 1, 1],
        [1, 1],
      ],
      1,
    ),
  },
  { x: [2, 4, 9], weight: [4, 2, 3], bias: true, attributes: settings([[2], [1, 2], [2]], 2) },
]

const outputOf = ({ x, weight, attributes }: (typeof layouts)[number]): number[] => [
  x[0]!,
  weight[0]!,
  ...x.slice(2).map((size, axis) => extent(size, weight[axis + 2]!, axis, attributes)),
]

const transposed = layouts.map((layout): OpCase => {
  const y = outputOf(layout)
  const { x, weight, attributes, bias } = layout
  const { stride, pads, dilation } = attributes as Record<string, Shape>
  const outputPadding = x
    .slice(2)
    .map(
      (size, axis) =>
        size +
        pads![axis]! +
        pads![axis + x.length - 2]! -
        dilation![axis]! * (weight[axis + 2]! - 1) -
        1 -
        stride![axis]! * (y[axis + 2]! - 1),
    )
  return { shapes: bias ? [y, weight, [x[1]!]] : [y, weight], attributes: { ...attributes, outputPadding } }
})

export const convolution: References = {
  conv: {
    value: ([x, weight, bias], attributes) => {
      const shape = outputOf({ x: x!.shape, weight: weight!.shape, attributes })
      const y = filled(shape, bias)
      for (const [i, k, o] of meetings(x!.shape, weight!.shape, shape, attributes))
        y.data[o] = y.data[o]! + x!.data[i]! * weight!.data[k]!
      return y
    },
    cases: layouts.map(({ x, weight, bias, attributes }) => ({
      shapes: bias ? [x, weight, [weight[0]!]] : [x, weight],
      attributes,
    })),
    terms: ([, weight]) => sizeOf(weight!.slice(1)),
  },
  convTranspose: {
    value: ([y, weight, bias], attributes) => {
      const { stride, pads, dilation, outputPadding } = attributes as Record<string, Shape>
      const channels = weight!.shape[1]! * (attributes.groups as number)
      const size = y!.shape
        .slice(2)
        .map(
          (n, axis) =>
            (n - 1) * stride![axis]! +
            dilation![axis]! * (weight!.shape[axis + 2]! - 1) +
            1 -
            pads![axis]! -
            pads![axis + y!.shape.length - 2]! +
            outputPadding![axis]!,
        )
      const x = filled([y!.shape[0]!, channels, ...size], bias)
      for (const [i, k, o] of meetings(x.shape, weight!.shape, y!.shape, attributes))
        x.data[i] = x.data[i]! + y!.data[o]! * weight!.data[k]!
      return x
    },
    cases: transposed,
    terms: ([, weight]) => sizeOf(weight!),
  },
  convWeightGradient: {
    value: ([x, y], attributes) => {
      const shape = [y!.shape[1]!, x!.shape[1]! / (attributes.groups as number), ...(attributes.kernel as Shape)]
      const weight = filled(shape, undefined)
      for (const [i, k, o] of meetings(x!.shape, shape, y!.shape, attributes))
        weight.data[k] = weight.data[k]! + x!.data[i]! * y!.data[o]!
      return weight
    },
    cases: layouts.map((layout) => ({
      shapes: [layout.x, outputOf(layout)],
      attributes: { ...layout.attributes, kernel: layout.weight.slice(2) },
    })),
    terms: ([, y]) => y![0]! * sizeOf(y!.slice(2)) || 1,
  },
}
