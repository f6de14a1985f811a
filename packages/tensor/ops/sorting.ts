import { defineOps, expectDtype, fixed, normalizeAxis, shapeError } from './define.js'

export const sorting = defineOps({
  topK: {
    summary:
      'the k largest (or smallest) elements along one dimension in order, and their indices; of equal ones the first comes first',
    infer([x], { k, axis }) {
      expectDtype('topK', x!, 'f32', 'i32', 'i64')
      const at = normalizeAxis('topK', axis as number, x!.shape)
      const size = fixed('topK', [x!.shape[at]!])[0]!
      if (!(Number.isInteger(k) && (k as number) >= 0 && (k as number) <= size))
        throw shapeError('topK', `cannot take ${k} of the ${size} elements of dimension ${at}`, [x!.shape])
      const shape = x!.shape.map((dim, index) => (index === at ? (k as number) : dim))
      return [
        { shape, dtype: x!.dtype },
        { shape, dtype: 'i64' },
      ]
    },
    vjp({ inputs: [x], outputs: [, indices], gradients: [dy], attributes: { axis } }) {
      const zeros = x!.builder.scalar(0).broadcastTo(fixed('topK', x!.shape))
      return [zeros.scatterAdd(axis as number, indices!, dy!)]
    },
    lower({ inputs: [x], outputs: [y, indices], attributes: { k, axis, largest }, emit, ints }) {
      const attributes = { axis: axis as number, largest: Number(largest), sorted: 1 }
      emit('TopK', [x!.name, ints([k as number])], attributes, { outputs: [y!.name, indices!.name] })
    },
  },
})
