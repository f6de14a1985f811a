import { TensorError } from '../errors.js'
import { shapeError } from '../ops/define.js'
import { readBy } from '../replay.js'
import type { Tensor } from '../tensor.js'

/** The value of `forward` with the gradient of `surrogate`: `straightThrough(x.round(), x)` rounds and lets gradients pass. */
export function straightThrough(forward: Tensor, surrogate: Tensor): Tensor {
  return forward.builder.apply('straightThrough', [forward, surrogate])[0]!
}

export interface CustomGradient {
  readonly output: Tensor
  /** A gradient for each input from the gradient of the output; undefined where there is none. Must be linear in `dy`. */
  readonly vjp: (dy: Tensor) => readonly (Tensor | undefined)[]
}

/**
 * A function with a derivative of its own, as `torch.autograd.Function`. What `vjp` computes is differentiated in its turn for
 * second derivatives. Tensors that the function uses without getting them as inputs count as constants.
 *
 * @throws TensorError NOT_DIFFERENTIABLE when `vjp` gives another number of gradients, SHAPE_MISMATCH when one has not its input's shape
 */
export function customGradient<I extends readonly [Tensor, ...Tensor[]]>(
  f: (...inputs: I) => CustomGradient,
  ...inputs: I
): Tensor {
  const [{ builder }] = inputs
  const { output, vjp } = f(...inputs)
  // Stands for the gradient while `vjp` is traced; a constant of its own, which no other expression shares.
  const seed = builder.constant([0], []).broadcastTo(output.shape as readonly number[])
  const gradients = vjp(seed)
  if (gradients.length !== inputs.length)
    throw new TensorError(
      'NOT_DIFFERENTIABLE',
      `customGradient: vjp gave ${gradients.length} gradients for ${inputs.length} inputs.`,
    )
  for (const [index, gradient] of gradients.entries())
    if (gradient && gradient.shape.join() !== inputs[index]!.shape.join())
      throw shapeError('customGradient', `gradient ${index} has not the shape of its input`, [
        gradient.shape,
        inputs[index]!.shape,
      ])
  const wrt = gradients.flatMap((gradient, index) => (gradient ? [index] : []))
  const traced = gradients.filter((gradient) => gradient !== undefined)
  return builder.apply('customGradient', [output, seed, ...inputs, ...traced], { wrt })[0]!
}

/**
 * `f(...inputs)`, of which the backward pass keeps only the inputs: it computes what lies between again, once the gradient of the
 * result is known. Less memory for more time, as `torch.utils.checkpoint`. Dropout masks are those of the first time.
 */
export function checkpoint<I extends readonly [Tensor, ...Tensor[]]>(f: (...inputs: I) => Tensor, ...inputs: I): Tensor {
  const [{ builder }] = inputs
  const start = builder.nodes.length
  const result = f(...inputs)
  const given = new Set(inputs.map(({ id }) => id))
  const captured = [...readBy(builder.nodes.slice(start), [result])].filter((id) => !given.has(id))
  const all = [result, ...inputs, ...captured.map((id) => builder.tensor(id))]
  return builder.apply('checkpoint', all, { outputs: 1, arguments: inputs.length })[0]!
}
