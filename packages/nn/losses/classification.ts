import { crossEntropy as crossEntropyOp, type Dims, type Tensor } from '@enigma/tensor'
import { NnError } from '../errors.js'
import { optionsOf } from '../options.js'
import { expectAlike, type ReductionOptions, reduced } from './reduction.js'

export interface NllOptions extends ReductionOptions {
  /** What an element of each class counts, [classes]; `mean` divides by what all elements count. Default: 1 each. */
  readonly weight?: Tensor | readonly number[]
  /** Elements with this target do not count. Default -100. */
  readonly ignoreIndex?: number
}

export interface CrossEntropyOptions extends NllOptions {
  /** Share of each target that is spread evenly over all classes (Szegedy et al. 2016). Default 0. */
  readonly labelSmoothing?: number
}

/**
 * Cross-entropy in nats of logits [..., classes] (the classes last, where PyTorch has them second) against class indices (integers)
 * [...], or against probabilities of the classes f32 [..., classes]. An index outside 0 … classes-1 that is not `ignoreIndex`
 * is never taken for another class: a negative one makes the loss NaN, one too large fails the run. When no element counts,
 * the mean is 0.
 *
 * @throws NnError SHAPE_MISMATCH
 */
export function crossEntropy(output: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  const {
    weight,
    labelSmoothing = 0,
    reduction = 'mean',
    ignoreIndex = -100,
  } = optionsOf('losses.crossEntropy', options, 'labelSmoothing: 0.1')
  if (target.dtype === 'f32' && target.rank === output.rank - 1)
    throw new NnError(
      'SHAPE_MISMATCH',
      `losses.crossEntropy: the output is [${output.shape.join(', ')}], the target [${target.shape.join(', ')}] has the shape of class indices, which are integers. Make it i64.`,
    )
  if (target.dtype === 'f32') return ofProbabilities(output, target, options)
  const rows = rowsOf('crossEntropy', output, target)
  if (!weight && reduction === 'mean') return crossEntropyOp(rows.output, rows.target, { ignoreIndex, labelSmoothing })
  return ofIndices(rows.output.logSoftmax(), rows.target, options, target.shape)
}

/**
 * Negative log-likelihood of log-probabilities [..., classes] (the classes last, where PyTorch has them second) against class
 * indices i64 [...]. Targets as in `crossEntropy`. @throws NnError SHAPE_MISMATCH
 */
export function nll(output: Tensor, target: Tensor, options: NllOptions = {}): Tensor {
  const rows = rowsOf('nll', output, target)
  return ofIndices(rows.output, rows.target, optionsOf('losses.nll', options, "reduction: 'sum'"), target.shape)
}

/** Of rows [n, classes] and targets [n]; `shape` is what the losses of the elements have. */
function ofIndices(logProbabilities: Tensor, target: Tensor, options: CrossEntropyOptions, shape: Dims): Tensor {
  const { weight, ignoreIndex = -100, labelSmoothing = 0, reduction } = options
  const column = target.reshape([target.shape[0]!, 1])
  const ignored = column.equal(ignoreIndex)
  const safe = ignored.where(0, column)
  // Gathering takes a negative index from the end: it counts NaN, so that it does not pass for the last class.
  const counted = ignored.where(0, column.less(0).where(Number.NaN, 1))
  const weights = weight && weightsOf(logProbabilities, weight)
  const counts = weights ? counted.mul(weights.gatherRows(safe)) : counted
  let likelihood = logProbabilities.gather(-1, safe).mul(counts)
  if (labelSmoothing > 0) {
    const evenly = weights ? logProbabilities.mul(weights) : logProbabilities
    const spread = evenly.mean(-1, { keepDims: true }).mul(counted)
    likelihood = likelihood.mul(1 - labelSmoothing).add(spread.mul(labelSmoothing))
  }
  // Not just a product with 0: what an ignored element picks may be -∞.
  const losses = ignored.where(0, likelihood.neg()).reshape(shape)
  return reduction === undefined || reduction === 'mean' ? shareOf(losses.sum(), counts.sum()) : reduced(losses, reduction)
}

function ofProbabilities(output: Tensor, target: Tensor, options: CrossEntropyOptions): Tensor {
  expectAlike('crossEntropy', output, target)
  const { weight, labelSmoothing = 0, reduction } = options
  const classes = output.shape.at(-1) as number
  const smoothed = labelSmoothing > 0 ? target.mul(1 - labelSmoothing).add(labelSmoothing / classes) : target
  const logProbabilities = output.logSoftmax()
  const weighted = weight ? logProbabilities.mul(weightsOf(output, weight)) : logProbabilities
  return reduced(weighted.mul(smoothed).sum(-1).neg(), reduction)
}

/** Sum over count, and 0 where nothing counts. */
const shareOf = (sum: Tensor, count: Tensor) => sum.div(count.equal(0).where(1, count))

function weightsOf({ builder, shape }: Tensor, weight: Tensor | readonly number[]): Tensor {
  const weights = Array.isArray(weight) ? builder.constant(weight, [weight.length]) : builder.lift(weight as Tensor)
  if (weights.shape.join() !== String(shape.at(-1)))
    throw new NnError(
      'SHAPE_MISMATCH',
      `The class weights are [${weights.shape.join(', ')}], but there are ${shape.at(-1)} classes. Give a weight for each.`,
    )
  return weights
}

/** Logits as rows [n, classes] and targets as a vector [n], which it may be already. @throws NnError SHAPE_MISMATCH */
function rowsOf(loss: string, output: Tensor, target: Tensor): { output: Tensor; target: Tensor } {
  const lead = output.shape.slice(0, -1)
  const count = lead.every((dim) => typeof dim === 'number') ? lead.reduce((product, dim) => product * dim, 1) : -1
  const fits = lead.join() === target.shape.join() || (target.rank === 1 && target.shape[0] === count)
  if (output.rank === 0 || !fits)
    throw new NnError(
      'SHAPE_MISMATCH',
      `losses.${loss}: the output is [${output.shape.join(', ')}], the target [${target.shape.join(', ')}]. ` +
        'A target has the shape of the output without its last dimension, the classes.',
    )
  return {
    output: output.rank === 2 ? output : output.reshape([count, output.shape.at(-1)!]),
    target: (target.rank === 1 ? target : target.reshape([count])).cast('i64'),
  }
}
