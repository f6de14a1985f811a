import { optionsOf } from '../options.js'
import type { Optimizer } from './optimizer.js'
import { checkSettings } from './settings.js'
import { traced } from './traced.js'

export interface AdagradOptions {
  /** Learning rate; a step may override it. Default 1e-2. */
  readonly lr?: number
  /** The learning rate of update t is divided by 1 + (t − 1)·lrDecay. Default 0. */
  readonly lrDecay?: number
  /** Share of the weights that is added to the gradients (L2 regularisation). Default 0. */
  readonly weightDecay?: number
  /** What the sums of squares begin at. Default 0. */
  readonly initialAccumulatorValue?: number
  /** Default 1e-10. */
  readonly eps?: number
}

/** Adagrad (Duchi, Hazan and Singer 2011): `torch.optim.Adagrad`. @throws NnError INVALID_ARGUMENT */
export function adagrad(options: AdagradOptions = {}): Optimizer {
  const {
    lr = 1e-2,
    lrDecay = 0,
    weightDecay = 0,
    initialAccumulatorValue = 0,
    eps = 1e-10,
  } = optionsOf('adagrad', options, 'lr: 1e-3')
  checkSettings('adagrad', { positive: { lr, lrDecay, weightDecay, initialAccumulatorValue, eps } })
  return traced({
    kind: 'adagrad',
    lr,
    /** The sum of squares without its initial value, since state begins at zero. */
    state: (shape) => ({ sum: shape }),
    numbers: ({ learningRate, step }) => ({ rate: learningRate / (1 + (step - 1) * lrDecay) }),
    next({ weight, gradient: raw, state, numbers: { rate } }) {
      const gradient = weightDecay === 0 ? raw : raw.add(weight.mul(weightDecay))
      const sum = state.sum!.add(gradient.mul(gradient))
      const deviation = sum.add(initialAccumulatorValue).sqrt().add(eps)
      return { weight: weight.sub(gradient.div(deviation).mul(rate)), state: { sum } }
    },
  })
}
