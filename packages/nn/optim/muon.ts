import type { Shape, Tensor } from '@enigma/tensor'
import { NnError } from '../errors.js'
import { optionsOf } from '../options.js'
import type { Optimizer } from './optimizer.js'
import { checkSettings } from './settings.js'
import { traced } from './traced.js'

/** How the learning rate of a matrix [rows, columns] follows from its shape. */
const adjustments = {
  /** Keller Jordan's: updates of one spectral norm, whatever the shape. */
  original: (rows: number, columns: number) => Math.sqrt(Math.max(1, rows / columns)),
  /** Moonshot AI's (Liu et al. 2025, "Muon is scalable for LLM training"): updates as large as AdamW's, whose learning rate then fits. */
  match_rms_adamw: (rows: number, columns: number) => 0.2 * Math.sqrt(Math.max(rows, columns)),
} as const

export interface MuonOptions {
  /** Learning rate; a step may override it. Default 1e-3. */
  readonly lr?: number
  /** Decoupled decay. Default 0.1. */
  readonly weightDecay?: number
  /** Default 0.95. */
  readonly momentum?: number
  /** Look ahead along the momentum. Default true. */
  readonly nesterov?: boolean
  /** Coefficients of the quintic iteration. Default [3.4445, -4.775, 2.0315]. */
  readonly nsCoefficients?: readonly [number, number, number]
  /** Iterations. Default 5. */
  readonly nsSteps?: number
  /** Default 1e-7. */
  readonly eps?: number
  /** How the learning rate follows a matrix's shape. Default `original`. */
  readonly adjustLrFn?: keyof typeof adjustments
}

/**
 * Muon (Jordan et al. 2024): the momentum of a matrix, made orthogonal by a Newton–Schulz iteration. `torch.optim.Muon`, but
 * the iteration computes in f32 and not in bf16, and parameters of more dimensions are taken as matrices [first, all others],
 * as its author does with convolutions. For hidden weights: `muonWithAdamW` gives the rest of a network to AdamW.
 *
 * @throws NnError INVALID_ARGUMENT for a setting out of range; when a step is compiled, for a parameter that is no matrix
 */
export function muon(options: MuonOptions = {}): Optimizer {
  const {
    lr = 1e-3,
    weightDecay = 0.1,
    momentum = 0.95,
    nesterov = true,
    nsCoefficients = [3.4445, -4.775, 2.0315],
    nsSteps = 5,
    eps = 1e-7,
    adjustLrFn = 'original',
  } = optionsOf('muon', options, 'lr: 1e-3')
  checkSettings('muon', { positive: { lr, weightDecay, eps, nsSteps }, share: { momentum } })
  return traced({
    kind: 'muon',
    lr,
    state(shape, name) {
      if (shape.length < 2)
        throw new NnError(
          'INVALID_ARGUMENT',
          `muon: '${name}' [${shape.join(', ')}] is no matrix. Put it into a group with another optimizer, as optim.muonWithAdamW(net) does.`,
        )
      return { momentum: shape }
    },
    numbers: ({ learningRate }) => ({ learningRate, decay: 1 - learningRate * weightDecay }),
    next({ weight, gradient, state, numbers }) {
      const buffer = lerp(state.momentum!, gradient, 1 - momentum)
      const direction = nesterov ? lerp(gradient, buffer, momentum) : buffer
      const [rows, columns] = matrixOf(weight.shape as Shape)
      const change = orthogonalized(direction.reshape([rows, columns]), nsCoefficients, nsSteps, eps)
      const step = change.reshape(weight.shape).mul(numbers.learningRate.mul(adjustments[adjustLrFn](rows, columns)))
      return { weight: weight.mul(numbers.decay).sub(step), state: { momentum: buffer } }
    },
  })
}

const matrixOf = ([rows = 1, ...rest]: Shape): [rows: number, columns: number] => [
  rows,
  rest.reduce((product, size) => product * size, 1),
]

const lerp = (from: Tensor, to: Tensor, share: number) => from.add(to.sub(from).mul(share))

/** About U·Vᵀ of the singular value decomposition U·S·Vᵀ: singular values of 0.7 to 1.2 instead of 1 (Jordan's blog post, 2024). */
function orthogonalized(matrix: Tensor, coefficients: readonly [number, number, number], steps: number, eps: number): Tensor {
  const norm = matrix.mul(matrix).sum().sqrt().maximum(eps)
  const [rows, columns] = matrix.shape as Shape as [number, number]
  const long = Math.max(rows, columns) >= 2 * Math.min(rows, columns)
  return (long ? iteratedGram : iterated)(matrix, norm, rows <= columns, coefficients, steps)
}

type Iteration = (
  matrix: Tensor,
  norm: Tensor,
  wide: boolean,
  coefficients: readonly [number, number, number],
  steps: number,
) => Tensor

/** X·Xᵀ or Xᵀ·X, the smaller of the two: a polynomial in either gives the same. */
const gramOf = (x: Tensor, wide: boolean) => (wide ? x.matmul(x, { transB: true }) : x.matmul(x, { transA: true }))

/** X ← (a + b·G + c·G²)·X with G = X·Xᵀ. */
const iterated: Iteration = (matrix, norm, wide, [a, b, c], steps) => {
  let x = matrix.div(norm)
  for (let step = 0; step < steps; step++) {
    const gram = gramOf(x, wide)
    const factor = gram.mul(b).add(gram.matmul(gram, { alpha: c }))
    x = x.mul(a).add(wide ? factor.matmul(x) : x.matmul(factor))
  }
  return x
}

/**
 * The same for matrices much longer than wide, by small square matrices alone: with P = a + b·G + c·G² the next X is P·X, so the
 * next G is P·G·P, and X is multiplied once, by the product of all P.
 */
const iteratedGram: Iteration = (matrix, norm, wide, [a, b, c], steps) => {
  let gram = gramOf(matrix, wide).div(norm.mul(norm))
  const size = gram.shape[0] as number
  const places = gram.builder.constant(
    Int32Array.from({ length: size }).map((_, place) => place),
    [size],
    'i32',
  )
  const start = places.reshape([size, 1]).equal(places).where(a, 0)
  let all: Tensor | undefined
  for (let step = 0; step < steps; step++) {
    const factor = gram
      .mul(b)
      .add(start)
      .add(gram.matmul(gram, { alpha: c }))
    all = all ? factor.matmul(all) : factor
    if (step < steps - 1) gram = factor.matmul(gram).matmul(factor)
  }
  const scaled = all?.div(norm)
  if (!scaled) return matrix.div(norm)
  return wide ? scaled.matmul(matrix) : matrix.matmul(scaled)
}
