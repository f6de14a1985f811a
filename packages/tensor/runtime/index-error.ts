import { TensorError } from '../errors.js'

/** How ONNX Runtime's kernels say that an index is out of range; some tell which. */
const complaints = /out of data bounds, idx=(-?\d+)|invalid indice found, indice = (-?\d+)|Out of range value in index tensor/

/** What native code says of an index that the program computed (those it is fed are checked before), in words that name the op. */
export function describeIndexError(error: TensorError): TensorError {
  const complaint = complaints.exec(error.message)
  if (!complaint) return error
  const [, op = 'A node'] = /Name:'(.*?)(?: #\d+)?'/.exec(error.message) ?? []
  const index = complaint[1] ?? complaint[2]
  const message = `${op}: ${index === undefined ? 'an index' : `the index ${index}`} that the program computed is out of range. Indices count from 0; clamp them to the rows there are.`
  return new TensorError('INVALID_ARGUMENT', message, { cause: error })
}
