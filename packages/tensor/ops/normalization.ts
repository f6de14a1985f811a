import type { Attributes, Dims, Value } from '../program.js'
import type { Tensor } from '../tensor.js'
import { defineOps, expectDtype, fixed, type Gradients, shapeError } from './define.js'

const f32 = (shape: Dims): Value => ({ shape, dtype: 'f32' })
const size = (op: string, shape: Dims) => fixed(op, shape).reduce((product, dim) => product * dim, 1)
const ones = (count: number) => () => new Float32Array(count).fill(1)
const axesUpTo = (end: number) => Array.from({ length: end }, (_, axis) => axis)

/** Dimensions from `axis` on, which one mean and one deviation are taken over. */
function normalized(x: Value, { axis }: Attributes): { lead: Dims; own: Dims } {
  return { lead: x.shape.slice(0, axis as number), own: x.shape.slice(axis as number) }
}

/** A number for each channel, as a factor of x [N, C, ...]. */
const perChannel = (values: Tensor, x: Value) => values.reshape([values.shape[0]!, ...x.shape.slice(2).map(() => 1)])

/** Every dimension but the channels'. */
const acrossChannels = (x: Value) => x.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]))

const valuesPerChannel = (op: string, x: Value) => size(op, [x.shape[0]!, ...x.shape.slice(2)])

const inverseDeviation = (variance: Tensor, { epsilon }: Attributes) =>
  variance
    .add(epsilon as number)
    .sqrt()
    .reciprocal()

function checkChannels(op: string, x: Value, vectors: readonly Value[]): void {
  for (const value of [x, ...vectors]) expectDtype(op, value, 'f32')
  if (x.shape.length < 2) throw shapeError(op, 'expected x [N, C, ...]', [x.shape])
  for (const { shape } of vectors)
    if (shape.length !== 1 || shape[0] !== x.shape[1])
      throw shapeError(op, `weight, bias and statistics must have the ${x.shape[1]} channels of x [N, C, ...]`, [x.shape, shape])
}

export const normalization = defineOps({
  layerNorm: {
    summary:
      '(x - mean) / sqrt(variance + epsilon) · weight + bias over the dimensions from `axis` on (Ba et al. 2016); weight and bias are optional',
    infer([x, weight, bias], attributes) {
      expectDtype('layerNorm', x!, 'f32')
      const { lead, own } = normalized(x!, attributes)
      for (const { shape } of [weight, bias].flatMap((value) => value ?? []))
        if (shape.join() !== own.join())
          throw shapeError('layerNorm', `weight and bias must have the normalized shape [${own.join(', ')}]`, [x!.shape, shape])
      if (own.length === 0 || size('layerNorm', own) === 0)
        throw shapeError('layerNorm', 'there is nothing to take a mean of; normalize over at least one element', [x!.shape])
      const statistics = f32([...lead, ...own.map(() => 1)])
      return [f32(x!.shape), statistics, statistics]
    },
    // With n = (x - mean) · inverse and g = dy · weight: dx = inverse · (g - mean(g) - n · mean(g · n)). Sums weighted by the
    // weight or by the inverse are products of one row with a matrix, and read it only once.
    vjp({ inputs: [x, weight, bias], outputs: [, mean, inverse], attributes, gradients: [dy] }): Gradients {
      const { lead, own } = normalized(x!, attributes)
      const [rows, count] = [size('layerNorm', lead), size('layerNorm', own)]
      const column = (statistic: Tensor) => statistic.reshape([rows, 1])
      const flat = dy!.reshape([rows, count])
      const centred = x!.reshape([rows, count]).sub(column(mean!))
      const product = flat.mul(centred)
      const factors = weight?.reshape([1, count])
      const minusMean = (t: Tensor) =>
        factors ? column(factors.matmul(t, { alpha: -1 / count, transB: true })) : t.mean(1, { keepDims: true }).neg()
      const i = column(inverse!)
      const dx = (factors ? flat.mul(factors) : flat)
        .add(minusMean(flat))
        .mul(i)
        .add(centred.mul(minusMean(product).mul(i).mul(i).mul(i)))
        .reshape(x!.shape)
      const dWeight = () => inverse!.reshape([1, rows]).matmul(product).reshape(own)
      return [dx, ...(weight ? [dWeight()] : []), ...(bias ? [flat.sum(0).reshape(own)] : [])]
    },
    decompose([x, weight, bias], attributes) {
      const axes = axesUpTo(x!.rank).slice(attributes.axis as number)
      const mean = x!.mean(axes, { keepDims: true })
      const centred = x!.sub(mean)
      const inverse = inverseDeviation(centred.mul(centred).mean(axes, { keepDims: true }), attributes)
      const scaled = weight ? centred.mul(inverse).mul(weight) : centred.mul(inverse)
      return [bias ? scaled.add(bias) : scaled, mean, inverse]
    },
    lower({ inputs: [x, weight, bias], outputs: [y, mean, inverse], attributes, emit, isUsed, tensor }) {
      const own = fixed('layerNorm', normalized(x!, attributes).own)
      const scale = weight?.name ?? tensor(`ones ${own}`, own, ones(size('layerNorm', own)))
      const outputs = isUsed(1) || isUsed(2) ? [y!.name, mean!.name, inverse!.name] : [y!.name]
      emit(
        'LayerNormalization',
        [x!.name, scale, ...(bias ? [bias.name] : [])],
        { axis: attributes.axis as number, epsilon: { float: attributes.epsilon as number } },
        { outputs },
      )
    },
  },

  batchNorm: {
    summary:
      '(x - mean) / sqrt(variance + epsilon) · weight + bias, each channel of x [N, C, ...] by its own mean and (population) variance in this batch (Ioffe & Szegedy 2015); further results: mean, variance',
    infer([x, weight, bias]) {
      checkChannels('batchNorm', x!, [weight!, bias!])
      if (valuesPerChannel('batchNorm', x!) < 2)
        throw shapeError('batchNorm', 'expected more than 1 value per channel when training', [x!.shape])
      return [f32(x!.shape), f32([x!.shape[1]!]), f32([x!.shape[1]!])]
    },
    vjp({ inputs: [x, weight], outputs: [, mean, variance], attributes, gradients: [dy] }): Gradients {
      return x!.builder.apply('batchNormGradient', [dy!, x!, weight!, mean!, variance!], attributes)
    },
    decompose([x, weight, bias], attributes) {
      const axes = acrossChannels(x!)
      const mean = x!.mean(axes)
      const centred = x!.sub(perChannel(mean, x!))
      const variance = centred.mul(centred).mean(axes)
      const scale = inverseDeviation(variance, attributes).mul(weight!)
      return [centred.mul(perChannel(scale, x!)).add(perChannel(bias!, x!)), mean, variance]
    },
    lower({ inputs: [x, weight, bias], outputs: [y, mean, variance], attributes: { epsilon }, emit, ints }) {
      // The kernel blends the batch's statistics into running ones; with momentum 0 only the batch's remain. It writes them over
      // the memory of the old ones, which therefore must be fresh values of this node: not constants, which nodes would share.
      const rest = acrossChannels(x!)
      const bounds = [rest.map(() => 0), rest.map(() => 1), rest].map((values) => ints(values))
      const old = emit('Reshape', [emit('Slice', [x!.name, ...bounds]), ints([x!.shape[1] as number])], { allowzero: 1 })
      emit(
        'BatchNormalization',
        [x!.name, weight!.name, bias!.name, old, emit('Abs', [old])],
        { training_mode: 1, momentum: { float: 0 }, epsilon: { float: epsilon as number } },
        { outputs: [y!.name, mean!.name, variance!.name] },
      )
    },
  },

  batchNormGradient: {
    summary:
      'the derivative of batchNorm by x, weight and bias, from dy, x, weight and the statistics of the batch: with n = (x - mean)/deviation, weight/deviation · (dy - mean(dy) - n · mean(dy · n)), Σ dy · n and Σ dy',
    infer([dy, x, weight, mean, variance]) {
      checkChannels('batchNormGradient', x!, [weight!, mean!, variance!])
      if (dy!.shape.join() !== x!.shape.join())
        throw shapeError('batchNormGradient', 'dy must have the shape of x', [dy!.shape, x!.shape])
      return [f32(x!.shape), f32(weight!.shape), f32(weight!.shape)]
    },
    decompose([dy, x, weight, mean, variance], attributes) {
      const axes = acrossChannels(x!)
      const share = 1 / valuesPerChannel('batchNormGradient', x!)
      const inverse = inverseDeviation(variance!, attributes)
      const n = x!.sub(perChannel(mean!, x!)).mul(perChannel(inverse, x!))
      const dBias = dy!.sum(axes)
      const dWeight = dy!.mul(n).sum(axes)
      const projected = dy!.sub(perChannel(dBias.mul(share), x!)).sub(n.mul(perChannel(dWeight.mul(share), x!)))
      return [projected.mul(perChannel(weight!.mul(inverse), x!)), dWeight, dBias]
    },
    lower({ inputs: [dy, x, weight, mean, variance], outputs: [dx, dWeight, dBias], attributes, emit, isUsed, ints, scalar }) {
      const axes = ints(acrossChannels(x!))
      const sum = (name: string, output?: string) =>
        emit('ReduceSum', [name, axes], { keepdims: 0 }, output === undefined ? {} : { outputs: [output] })
      const mul = (a: string, b: string, output?: string) =>
        emit('Mul', [a, b], {}, output === undefined ? {} : { outputs: [output] })
      const epsilon = { float: attributes.epsilon as number }
      const inverse = emit('Reciprocal', [emit('Sqrt', [emit('Add', [variance!.name, scalar(epsilon.float)])])])
      sum(dy!.name, dBias!.name)
      const offset = mul(mean!.name, dBias!.name)
      mul(inverse, emit('Sub', [sum(mul(dy!.name, x!.name)), offset]), dWeight!.name)
      if (!isUsed(0)) return
      // The inference kernel computes a·(x - mean)/deviation + b in one pass over x.
      const scale = mul(weight!.name, inverse)
      const share = mul(scale, scalar(-1 / valuesPerChannel('batchNormGradient', x!)))
      const terms = emit(
        'BatchNormalization',
        [x!.name, mul(share, dWeight!.name), mul(share, dBias!.name), mean!.name, variance!.name],
        { epsilon },
      )
      const factor = emit('Reshape', [scale, ints([x!.shape[1] as number, ...x!.shape.slice(2).map(() => 1)])])
      emit('Add', [mul(dy!.name, factor), terms], {}, { outputs: [dx!.name] })
    },
  },

  batchNormInference: {
    summary: '(x - mean) / sqrt(variance + epsilon) · weight + bias with given statistics for each channel of x [N, C, ...]',
    infer([x, weight, bias, mean, variance]) {
      checkChannels('batchNormInference', x!, [weight!, bias!, mean!, variance!])
      return [f32(x!.shape)]
    },
    decompose([x, weight, bias, mean, variance], attributes) {
      const scale = inverseDeviation(variance!, attributes).mul(weight!)
      return [x!.sub(perChannel(mean!, x!)).mul(perChannel(scale, x!)).add(perChannel(bias!, x!))]
    },
    lower({ inputs: [x, weight, bias, mean, variance], outputs: [y], attributes: { epsilon }, emit }) {
      const inputs = [x!, weight!, bias!, mean!, variance!].map(({ name }) => name)
      emit('BatchNormalization', inputs, { epsilon: { float: epsilon as number } }, { outputs: [y!.name] })
    },
  },
})
