import { optionsOf } from '../options.js'
import type { Optimizer } from './optimizer.js'
import { checkSettings } from './settings.js'
import { traced } from './traced.js'

export interface RmspropOptions {
  /** Learning rate; a step may override it. Default 1e-2. */
  readonly lr?: number
  /** Share of the mean square that is kept. Default 0.99. */
  readonly alpha?: number
  /** Default 1e-8. */
  readonly eps?: number
  /** Share of the weights that is added to the gradients (L2 regularisation). Default 0. */
  readonly weightDecay?: number
  /** Default 0: none. */
  readonly momentum?: number
  /** Divide by the deviation instead of the root mean square. Default false. */
  readonly centered?: boolean
}

/** RMSprop (Hinton 2012): `torch.optim.RMSprop`. @throws NnError INVALID_ARGUMENT */
export function rmsprop(options: RmspropOptions = {}): Optimizer {
  const {
    lr = 1e-2,
    alpha = 0.99,
    eps = 1e-8,
    weightDecay = 0,
    momentum = 0,
    centered = false,
  } = optionsOf('rmsprop', options, 'lr: 1e-3')
  checkSettings('rmsprop', { positive: { lr, eps, weightDecay, momentum }, share: { alpha } })
  return traced({
    kind: 'rmsprop',
    lr,
    state: (shape) => ({
      square: shape,
      ...(centered && { mean: shape }),
      ...(momentum > 0 && { momentum: shape }),
    }),
    numbers: ({ learningRate }) => ({ learningRate }),
    next({ weight, gradient: raw, state: old, numbers: { learningRate } }) {
      const gradient = weightDecay === 0 ? raw : raw.add(weight.mul(weightDecay))
      const square = old.square!.mul(alpha).add(gradient.mul(gradient).mul(1 - alpha))
      const mean = old.mean?.add(gradient.sub(old.mean).mul(1 - alpha))
      const variance = mean ? square.sub(mean.mul(mean)) : square
      const scaled = gradient.div(variance.sqrt().add(eps))
      const buffer = old.momentum?.mul(momentum).add(scaled)
      const state = { square, ...(mean && { mean }), ...(buffer && { momentum: buffer }) }
      return { weight: weight.sub((buffer ?? scaled).mul(learningRate)), state }
    },
  })
}
