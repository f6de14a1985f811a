import { optionsOf } from '../options.js'
import type { Optimizer } from './optimizer.js'
import { checkSettings } from './settings.js'

export interface AdamOptions {
  /** Learning rate; a step may override it. Default 1e-3. */
  readonly lr?: number
  /** Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number]
  /** Default 1e-8. */
  readonly eps?: number
  /** Share of the weights that is added to the gradients (L2 regularisation). Default 0. */
  readonly weightDecay?: number
  /** Divide by the largest second moment so far (Reddi, Kale and Kumar 2018). Default false. */
  readonly amsgrad?: boolean
}

export interface AdamWOptions extends AdamOptions {
  /** Decoupled decay: each update takes this share of the learning rate off the weights. Default 0.01. */
  readonly weightDecay?: number
  /**
   * Decay also parameters of one dimension and none (biases, norm weights), as PyTorch does. Default false: our one departure
   * from its defaults, since the field excludes them by hand.
   */
  readonly decayVectors?: boolean
}

/** Adam (Kingma and Ba 2015): `torch.optim.Adam`. @throws NnError INVALID_ARGUMENT */
export function adam(options: AdamOptions = {}): Optimizer {
  const { weightDecay = 0, ...rest } = optionsOf('adam', options, 'lr: 1e-3')
  return rule('adam', rest, { l2: weightDecay, decoupled: () => 0 })
}

/** AdamW (Loshchilov and Hutter 2019): `torch.optim.AdamW`, but see `decayVectors`. @throws NnError INVALID_ARGUMENT */
export function adamw(options: AdamWOptions = {}): Optimizer {
  const { weightDecay = 0.01, decayVectors = false, ...rest } = optionsOf('adamw', options, 'lr: 1e-3')
  checkSettings('adamw', { positive: { weightDecay } })
  return rule('adamw', rest, { l2: 0, decoupled: (dimensions) => (decayVectors || dimensions >= 2 ? weightDecay : 0) })
}

interface Decay {
  /** What goes into the gradients. */
  readonly l2: number
  /** What goes straight into the weights of a parameter of so many dimensions. */
  readonly decoupled: (dimensions: number) => number
}

function rule(
  kind: string,
  { lr = 1e-3, betas = [0.9, 0.999], eps = 1e-8, amsgrad = false }: AdamOptions,
  { l2, decoupled }: Decay,
): Optimizer {
  const [beta1, beta2] = betas
  checkSettings(kind, { positive: { lr, eps, weightDecay: l2 }, share: { 'betas[0]': beta1, 'betas[1]': beta2 } })
  const kernel = amsgrad ? 'amsgrad' : l2 > 0 ? 'adam' : 'adamw'
  return {
    kind,
    lr,
    state: (shape) => (amsgrad ? { m: shape, v: shape, vMax: shape } : { m: shape, v: shape }),
    update: (slots, { workers, learningRate, step, gradientScale }) =>
      workers.update(
        kernel,
        slots.map(({ weight, gradient, state: { m, v, vMax }, parameter }) => ({
          tensors: [weight, gradient, m!, v!, ...(vMax ? [vMax] : [])],
          scalars: [
            gradientScale,
            ...(kernel === 'adamw' ? [] : [l2]),
            1 - learningRate * decoupled(parameter.shape.length),
            1 - beta1,
            beta2,
            1 - beta2,
            learningRate / (1 - beta1 ** step),
            1 / Math.sqrt(1 - beta2 ** step),
            eps,
          ],
        })),
      ),
  }
}
