import { NnError } from '../errors.js'
import { optionsOf } from '../options.js'
import type { Optimizer } from './optimizer.js'
import { checkSettings } from './settings.js'

export interface SgdOptions {
  /** Learning rate; a step may override it. Default 1e-3. */
  readonly lr?: number
  /** Share of the earlier direction that is kept. Default 0: none. */
  readonly momentum?: number
  /** Share of a new gradient that does not enter the momentum. Default 0. */
  readonly dampening?: number
  /** Share of the weights that is added to the gradients (L2 regularisation). Default 0. */
  readonly weightDecay?: number
  /** Look ahead along the momentum. Default false. */
  readonly nesterov?: boolean
}

/** Stochastic gradient descent: `torch.optim.SGD`. @throws NnError INVALID_ARGUMENT */
export function sgd(options: SgdOptions = {}): Optimizer {
  const { lr = 1e-3, momentum = 0, dampening = 0, weightDecay = 0, nesterov = false } = optionsOf('sgd', options, 'lr: 1e-3')
  checkSettings('sgd', { positive: { lr, momentum, weightDecay } })
  if (nesterov && (momentum === 0 || dampening !== 0))
    throw new NnError('INVALID_ARGUMENT', 'sgd: Nesterov momentum needs a momentum and no dampening.')
  return {
    kind: 'sgd',
    lr,
    state: (shape) => (momentum === 0 ? {} : { momentum: shape }),
    update: (slots, { workers, learningRate, step, gradientScale }) => {
      if (momentum === 0)
        return workers.update(
          'sgd',
          slots.map(({ weight, gradient }) => ({
            tensors: [weight, gradient],
            scalars: [gradientScale, weightDecay, learningRate],
          })),
        )
      const [keep, take] = step === 1 ? [0, 1] : [momentum, 1 - dampening]
      const [direct, through] = nesterov ? [1, momentum] : [0, 1]
      return workers.update(
        'momentum',
        slots.map(({ weight, gradient, state }) => ({
          tensors: [weight, gradient, state.momentum!],
          scalars: [gradientScale, weightDecay, keep, take, direct, through, learningRate],
        })),
      )
    },
  }
}
