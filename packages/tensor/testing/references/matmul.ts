import type { Attributes } from '../../program.js'
import { map, matmul as multiply, type Nd, transpose } from '../nd.js'
import type { OpCase, References } from './cases.js'

const flags = (transA: boolean, transB: boolean, alpha = 1): Attributes => ({ transA, transB, alpha })
const emptyProducts: [number[], number[], Attributes][] = [
  [[2, 0], [0, 3], flags(false, false)],
  [[0, 2], [3, 0], flags(true, true, 2)],
  [[2, 2, 0], [2, 0, 3], flags(false, false)],
  [[2, 0, 2], [0, 3], flags(true, false, 0.5)],
  [[0, 3], [3, 2], flags(false, false)],
  [[0, 2, 3], [3, 2], flags(false, false)],
  [[2, 3], [0, 3], flags(false, true)],
]
const matmulCases: OpCase[] = [
  {
    shapes: [
      [2, 3],
      [3, 4],
    ],
    attributes: flags(false, false),
  },
  {
    shapes: [
      [3, 2],
      [3, 4],
    ],
    attributes: flags(true, false, 0.5),
  },
  {
    shapes: [
      [2, 3],
      [4, 3],
    ],
    attributes: flags(false, true),
  },
  {
    shapes: [
      [3, 2],
      [4, 3],
    ],
    attributes: flags(true, true, 2),
  },
  {
    shapes: [
      [2, 1, 3, 4],
      [5, 4, 2],
    ],
    attributes: flags(false, false),
  },
  {
    shapes: [
      [2, 4, 3],
      [2, 4, 2],
    ],
    attributes: flags(true, false),
  },
  {
    shapes: [
      [1, 1],
      [1, 1],
    ],
    attributes: flags(false, false),
  },
  // Sums of nothing are 0.
  ...emptyProducts.map(([a, b, attributes]) => ({ shapes: [a, b], attributes })),
]
const product = (a: Nd, b: Nd, { transA, transB, alpha }: Attributes) =>
  multiply(transA ? transpose(a) : a, transB ? transpose(b) : b, alpha as number)

export const matmul: References = {
  matmul: { value: ([a, b], attributes) => product(a!, b!, attributes), cases: matmulCases, terms: ([a]) => a!.at(-1)! },
  gemm: {
    value: ([a, b, c], attributes) => map((x, y) => x + y, product(a!, b!, attributes), c!),
    cases: [
      {
        shapes: [
          [2, 3],
          [3, 4],
          [2, 4],
        ],
        attributes: flags(false, false),
      },
      { shapes: [[3, 2], [3, 4], [4]], attributes: flags(true, false, 0.5) },
      {
        shapes: [
          [2, 3],
          [4, 3],
          [2, 1],
        ],
        attributes: flags(false, true),
      },
      {
        shapes: [
          [3, 2],
          [4, 3],
          [1, 1],
        ],
        attributes: flags(true, true),
      },
      { shapes: [[1, 3], [3, 1], []], attributes: flags(false, false) },
      { shapes: [[2, 0], [0, 3], [3]], attributes: flags(false, false) },
      {
        shapes: [
          [0, 2],
          [0, 3],
          [2, 1],
        ],
        attributes: flags(true, false, 2),
      },
      { shapes: [[0, 2], [2, 3], [3]], attributes: flags(false, false) },
    ],
    terms: ([a]) => a!.at(-1)! + 1,
  },
}
