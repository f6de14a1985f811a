import type { Dims, Value } from '../program.js'
import type { Tensor } from '../tensor.js'
import { defineOps, expectDtype, shapeError } from './define.js'

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

export const losses = defineOps({
  crossEntropy: {
    summary:
      'mean over rows of -log softmax(logits)[target]; rows whose target is ignoreIndex do not count, negative targets give NaN',
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
      const dLogits = logProbabilities!.exp().mul(share).scatterAddLast(safe, share.neg())
      return [dLogits.reshape(logits!.shape), undefined]
    },
    decompose([logits, targets], attributes) {
      const { safe, ignored, counts } = valid(targets!, attributes.ignoreIndex as number)
      const logProbabilities = logits!.logSoftmax()
      const total = ignored.where(0, logProbabilities.takeAlongLast(safe).mul(counts)).sum()
      return [total.div(counts.sum().maximum(1)).neg(), logProbabilities]
    },
    lower({ inputs: [logits, targets], outputs: [loss, logProbabilities], attributes: { ignoreIndex }, emit, ints, scalar }) {
      emit('LogSoftmax', [logits!.name], { axis: -1 }, { outputs: [logProbabilities!.name] })
      const column = emit('Unsqueeze', [targets!.name, ints([1])])
      const ignored = emit('Equal', [column, scalar(ignoreIndex as number, 'i64')])
      const safe = emit('Where', [ignored, scalar(0, 'i64'), column])
      const known = emit('Where', [emit('Less', [column, scalar(0, 'i64')]), scalar(Number.NaN), scalar(1)])
      const counts = emit('Where', [ignored, scalar(0), known])
      const picked = emit('GatherElements', [logProbabilities!.name, safe], { axis: 1 })
      // Not just a product with 0: what an ignored row picks may be -∞.
      const counted = emit('Where', [ignored, scalar(0), emit('Mul', [picked, counts])])
      const total = emit('ReduceSum', [counted], { keepdims: 0 })
      const count = emit('Max', [emit('ReduceSum', [counts], { keepdims: 0 }), scalar(1)])
      emit('Neg', [emit('Div', [total, count])], {}, { outputs: [loss!.name] })
    },
  },
})
