import type { Tensor } from '@enigma/tensor'
import { optionsOf } from '../options.js'
import type { Optimizer } from './optimizer.js'
import { checkSettings } from './settings.js'
import { traced } from './traced.js'

export interface AdafactorOptions {
  /** Upper bound of the relative step size; a step may override it. Default 1e-2. */
  readonly lr?: number
  /** Exponent of the second moments' decay: β2 of update t is 1 − t^beta2Decay. Default -0.8. */
  readonly beta2Decay?: number
  /** Smallest second moment's root, and smallest size of a parameter. Default [2^-23, 1e-3]. */
  readonly eps?: readonly [number, number]
  /** Largest root mean square of an update, before the step size. Default 1. */
  readonly d?: number
  /** Decoupled decay. Default 0. */
  readonly weightDecay?: number
}

/**
 * Adafactor (Shazeer and Stern 2018): `torch.optim.Adafactor`. The second moments of a matrix are kept as a row and a column,
 * and steps are relative to the parameter's size. @throws NnError INVALID_ARGUMENT
 */
export function adafactor(options: AdafactorOptions = {}): Optimizer {
  const {
    lr = 1e-2,
    beta2Decay = -0.8,
    eps: [eps1, eps2] = [2 ** -23, 1e-3],
    d = 1,
    weightDecay = 0,
  } = optionsOf('adafactor', options, 'lr: 1e-3')
  checkSettings('adafactor', { positive: { lr, 'eps[0]': eps1, 'eps[1]': eps2, d, weightDecay, '-beta2Decay': -beta2Decay } })
  return traced({
    kind: 'adafactor',
    lr,
    state: (shape) =>
      shape.length < 2
        ? { variance: shape }
        : { rowVariance: [...shape.slice(0, -1), 1], columnVariance: [...shape.slice(0, -2), 1, shape.at(-1)!] },
    numbers: ({ learningRate, step }) => ({
      decay: 1 - learningRate * weightDecay,
      fresh: step ** beta2Decay,
      rate: Math.min(learningRate, 1 / Math.sqrt(step)),
    }),
    next({ weight, gradient, state, numbers: { decay, fresh, rate } }) {
      const squares = gradient.mul(gradient)
      const averaged = (name: string, now: Tensor) => state[name]!.add(now.sub(state[name]!).mul(fresh))
      const factored = state.rowVariance !== undefined
      const rowVariance = factored ? averaged('rowVariance', squares.mean(-1, { keepDims: true })) : undefined
      const columnVariance = factored ? averaged('columnVariance', squares.mean(-2, { keepDims: true })) : undefined
      const variance =
        rowVariance && columnVariance
          ? rowVariance.matmul(columnVariance).div(rowVariance.mean(-2, { keepDims: true }).maximum(eps1))
          : averaged('variance', squares)
      const update = gradient.div(variance.maximum(eps1 ** 2).sqrt())
      const size = rms(weight).maximum(eps2)
      const excess = rms(update).div(d).maximum(1)
      return {
        weight: weight.mul(decay).sub(update.mul(size.mul(rate).div(excess))),
        state: rowVariance && columnVariance ? { rowVariance, columnVariance } : { variance },
      }
    },
  })
}

const rms = (x: Tensor) => x.mul(x).mean().sqrt()
