import type { Dims, Value } from '../program.js'
import type { Tensor } from '../tensor.js'
import { defineOps, expectDtype, fixed, shapeError } from './define.js'

const f32 = (shape: Dims): Value => ({ shape, dtype: 'f32' })

/**
 * Targets as a column of class indices, which of them are ignored, and what each counts: 0 if ignored, else 1, all [N, 1].
 * Gathering takes a negative index from the end; a negative target counts NaN, so that it does not pass for the last class.
 */
function valid(targets: Tensor, ignoreIndex: number): { safe: Tensor; ignored: Tensor; counts: Tensor } {
  const column = targets.reshape([targets.shape[0]!, 1])
  const ignored = column.equal(ignoreIndex)
  const counts = ignored.where(0, column.less(0).where(Number.NaN, 1))
  return { safe: ignored.where(0, column), ignored, counts }
}

/** log x, but at least -100, with a derivative of 0 where it is that. */
const atLeast100 = (x: Tensor) => x.less(smallest).where(-100, x.maximum(smallest).log())
/** The smallest normal number. */
const smallest = 2 ** -126

/** Elements of one shape, both real: a prediction and its target. */
function inferPair(name: string, [x, target]: readonly Value[]): Value[] {
  expectDtype(name, x!, 'f32')
  expectDtype(name, target!, 'f32')
  if (x!.shape.join() !== target!.shape.join())
    throw shapeError(name, 'predictions and targets must have one shape', [x!.shape, target!.shape])
  return [f32(x!.shape)]
}

export const losses = defineOps({
  crossEntropy: {
    summary:
      'mean over rows of -(1 - ε) log softmax(logits)[target] - ε mean(log softmax(logits)) for label smoothing ε; rows whose target is ignoreIndex do not count; other negative targets are an error where they are fed, and give NaN where they are computed',
    infer([logits, targets]) {
      expectDtype('crossEntropy', logits!, 'f32')
      expectDtype('crossEntropy', targets!, 'i64')
      if (logits!.shape.length !== 2 || targets!.shape.length !== 1 || logits!.shape[0] !== targets!.shape[0])
        throw shapeError('crossEntropy', 'expected logits [N, classes] and targets [N]', [logits!.shape, targets!.shape])
      return [f32([]), f32(logits!.shape)]
    },
    vjp({ inputs: [logits, targets], outputs: [, logProbabilities], gradients: [dy], attributes }) {
      const { safe, counts } = valid(targets!, attributes.ignoreIndex as number)
      const share = counts.div(counts.sum().maximum(1)).mul(dy!)
      const probabilities = logProbabilities!.exp()
      const smoothing = attributes.labelSmoothing as number
      if (smoothing === 0) return [probabilities.mul(share).scatterAdd(-1, safe, share.neg()), undefined]
      const [classes = 1] = fixed('crossEntropy', logits!.shape.slice(1))
      const evenly = probabilities.sub(smoothing / classes).mul(share)
      return [evenly.scatterAdd(-1, safe, share.mul(smoothing - 1)), undefined]
    },
    decompose([logits, targets], attributes) {
      const { safe, ignored, counts } = valid(targets!, attributes.ignoreIndex as number)
      const logProbabilities = logits!.logSoftmax()
      const smoothing = attributes.labelSmoothing as number
      const picked = logProbabilities.gather(-1, safe)
      const rows =
        smoothing === 0 ? picked : picked.mul(1 - smoothing).add(logProbabilities.mean(-1, { keepDims: true }).mul(smoothing))
      const total = ignored.where(0, rows.mul(counts)).sum()
      return [total.div(counts.sum().maximum(1)).neg(), logProbabilities]
    },
    indices: ([logits], { ignoreIndex }) => ({ rows: logits!.shape[1]!, none: ignoreIndex as number }),
    lower({ inputs: [logits, targets], outputs: [loss, logProbabilities], attributes, emit, ints, scalar }) {
      const { ignoreIndex, labelSmoothing } = attributes as { ignoreIndex: number; labelSmoothing: number }
      emit('LogSoftmax', [logits!.name], { axis: -1 }, { outputs: [logProbabilities!.name] })
      const column = emit('Unsqueeze', [targets!.name, ints([1])])
      const ignored = emit('Equal', [column, scalar(ignoreIndex, 'i64')])
      const safe = emit('Where', [ignored, scalar(0, 'i64'), column])
      const known = emit('Where', [emit('Less', [column, scalar(0, 'i64')]), scalar(Number.NaN), scalar(1)])
      const counts = emit('Where', [ignored, scalar(0), known])
      const picked = emit('GatherElements', [logProbabilities!.name, safe], { axis: 1 })
      const smoothed = () => {
        const evenly = emit('ReduceMean', [logProbabilities!.name, ints([1])], { keepdims: 1 })
        const own = emit('Mul', [picked, scalar(1 - labelSmoothing)])
        return emit('Add', [own, emit('Mul', [evenly, scalar(labelSmoothing)])])
      }
      // Not just a product with 0: what an ignored row picks may be -∞.
      const counted = emit('Where', [ignored, scalar(0), emit('Mul', [labelSmoothing === 0 ? picked : smoothed(), counts])])
      const total = emit('ReduceSum', [counted], { keepdims: 0 })
      const count = emit('Max', [emit('ReduceSum', [counts], { keepdims: 0 }), scalar(1)])
      emit('Neg', [emit('Div', [total, count])], {}, { outputs: [loss!.name] })
    },
  },

  // The derivatives of these two are simpler, and exact where those of their parts are not: at 0, 1 and far from them.
  binaryCrossEntropy: {
    summary: '-(target · log p + (1 - target) · log(1 - p)) with logarithms of at least -100',
    infer: (inputs) => inferPair('binaryCrossEntropy', inputs),
    vjp({ inputs: [p, target], gradients: [dy] }) {
      const variance = p!.mul(p!.neg().add(1)).maximum(1e-12)
      const logit = atLeast100(p!.neg().add(1)).sub(atLeast100(p!))
      return [dy!.mul(p!.sub(target!)).div(variance), dy!.mul(logit)]
    },
    lower({ inputs: [p, target], outputs: [y], emit, scalar }) {
      const log = (x: string) => emit('Max', [emit('Log', [x]), scalar(-100)])
      const other = (x: string) => emit('Sub', [scalar(1), x])
      const hit = emit('Mul', [target!.name, log(p!.name)])
      const missed = emit('Mul', [other(target!.name), log(other(p!.name))])
      emit('Neg', [emit('Add', [hit, missed])], {}, { outputs: [y!.name] })
    },
  },
  binaryCrossEntropyWithLogits: {
    summary: 'binary cross-entropy of sigmoid(x): (1 - target) · x + log(1 + e^-x)',
    infer: (inputs) => inferPair('binaryCrossEntropyWithLogits', inputs),
    vjp: ({ inputs: [x, target], gradients: [dy] }) => [dy!.mul(x!.sigmoid().sub(target!)), dy!.mul(x!).neg()],
    lower({ inputs: [x, target], outputs: [y], emit, scalar }) {
      const linear = emit('Mul', [emit('Sub', [scalar(1), target!.name]), x!.name])
      emit('Add', [linear, emit('Softplus', [emit('Neg', [x!.name])])], {}, { outputs: [y!.name] })
    },
  },
})
