// What ONNX Runtime lacks for training. Every kernel works on byte offsets into the imported memory, allocates nothing and
// handles any number of elements; vectors of four, then a scalar tail with the same arithmetic.
export { adam, adamw, amsgrad } from './adam'
export { axpy, clamp, copy, fill, scale } from './elementwise'
export { floatToHalf, halfToFloat } from './halves'
export { lion } from './lion'
export { bernoulli, normal, philox, uniform } from './random'
export { hasNonFinite, sumOfSquares } from './reduce'
export { firstBadId, scatterAddRows } from './scatter'
export { momentum, sgd } from './sgd'
