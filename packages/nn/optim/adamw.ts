import type { Optimizer } from './optimizer.js'

/** AdamW (Loshchilov & Hutter 2019). Defaults are PyTorch's, but for the decay being off on vectors (biases, norm weights). */
export interface AdamWOptions {
  /** Learning rate; a step may override it. Default 1e-3. */
  readonly lr?: number
  readonly betas?: readonly [number, number]
  readonly eps?: number
  /** Decoupled weight decay on parameters of two and more dimensions. Default 0.01. */
  readonly weightDecay?: number
}

export function adamw({ lr = 1e-3, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0.01 }: AdamWOptions = {}): Optimizer {
  return {
    kind: 'adamw',
    lr,
    state: (shape) => ({ m: shape, v: shape }),
    update: (slots, { workers, learningRate, step, gradientScale }) =>
      workers.adamw(
        slots.map(({ weight, gradient, state, parameter }) => ({
          parameter: weight,
          gradient,
          m: state.m!,
          v: state.v!,
          weightDecay: parameter.shape.length >= 2 ? weightDecay : 0,
        })),
        { learningRate, beta1: betas[0], beta2: betas[1], eps, step, gradientScale },
      ),
  }
}
