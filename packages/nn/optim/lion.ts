import { optionsOf } from '../options.js'
import type { Optimizer } from './optimizer.js'
import { checkSettings } from './settings.js'

export interface LionOptions {
  /** Learning rate; a step may override it. Lion wants a third to a tenth of AdamW's. Default 1e-4. */
  readonly lr?: number
  /** Default [0.9, 0.99]. */
  readonly betas?: readonly [number, number]
  /** Decoupled decay, of all parameters; three to ten times AdamW's. Default 0. */
  readonly weightDecay?: number
}

/**
 * Lion (Chen et al. 2023, "Symbolic discovery of optimization algorithms"): each weight moves by the learning rate, in the sign
 * of a momentum. Half of Adam's memory. Defaults are its authors'. @throws NnError INVALID_ARGUMENT
 */
export function lion(options: LionOptions = {}): Optimizer {
  const { lr = 1e-4, betas = [0.9, 0.99], weightDecay = 0 } = optionsOf('lion', options, 'lr: 1e-3')
  const [beta1, beta2] = betas
  checkSettings('lion', { positive: { lr, weightDecay }, share: { 'betas[0]': beta1, 'betas[1]': beta2 } })
  return {
    kind: 'lion',
    lr,
    state: (shape) => ({ m: shape }),
    update: (slots, { workers, learningRate, gradientScale }) =>
      workers.update(
        'lion',
        slots.map(({ weight, gradient, state }) => ({
          tensors: [weight, gradient, state.m!],
          scalars: [gradientScale, 1 - learningRate * weightDecay, 1 - beta1, 1 - beta2, learningRate],
        })),
      ),
  }
}
