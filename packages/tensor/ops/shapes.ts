import { dimOf, productOf, quotient } from '../dims.js'
import { dtypes } from '../dtype.js'
import type { Dim } from '../program.js'
import { defineOps, expectDtype, fixed, type Gradients, normalizeAxis, shapeError } from './define.js'
import { unbroadcast } from './elementwise.js'

/** Fills in the -1 of a reshape; sizes known only at run time must stay, alone or as a factor ([batch, 16, D] → [batch*16, D]). */
function reshapeTarget(from: readonly Dim[], symbols: string): Dim[] {
  const target = JSON.parse(symbols) as Dim[]
  const hole = target.indexOf(-1)
  if (!target.every((dim, axis) => axis === hole || typeof dim === 'string' || (Number.isInteger(dim) && dim >= 0)))
    throw shapeError('reshape', 'sizes must be whole numbers, one of them may be -1', [from, target])
  const own = productOf(from)
  const wanted = productOf(target.filter((_, axis) => axis !== hole))
  const kept = own.symbols.join() === wanted.symbols.join()
  const rest = hole >= 0 ? quotient(own, wanted) : kept && own.factor === wanted.factor
  if (!rest) {
    const problem = kept || hole >= 0 ? 'the number of elements differs' : 'sizes known only at run time must be kept'
    throw shapeError('reshape', problem, [from, target])
  }
  if (rest !== true) target[hole] = dimOf(rest)
  return target
}

export const shapes = defineOps({
  reshape: {
    summary: 'the same elements in the same order, in another shape',
    infer: ([x], { symbols }) => [{ shape: reshapeTarget(x!.shape, symbols as string), dtype: x!.dtype }],
    vjp: ({ inputs: [x], gradients: [dy] }) => [dy!.reshape(x!.shape)],
    lower({ inputs: [x], outputs: [y], emit, ints }) {
      // A 0 copies the size at the same place, unless sizes may be zero: so several run-time sizes that stay in place can be written.
      const copies = !y!.shape.includes(0) && y!.shape.filter((dim) => typeof dim === 'string').length > 1
      const target = y!.shape.map((dim, axis) => (typeof dim === 'number' ? dim : copies && dim === x!.shape[axis] ? 0 : -1))
      if (target.filter((dim) => dim === -1).length > 1)
        throw shapeError('reshape', 'of sizes known only at run time all but one must stay in their places', [x!.shape, y!.shape])
      emit('Reshape', [x!.name, ints(target)], { allowzero: copies ? 0 : 1 }, { outputs: [y!.name] })
    },
  },

  transpose: {
    summary: 'dimensions in another order: result dimension i is dimension order[i]',
    infer([x], { order }) {
      const list = order as readonly number[]
      if ([...list].sort((a, b) => a - b).join() !== x!.shape.map((_, axis) => axis).join())
        throw shapeError('transpose', `order [${list.join(', ')}] is no permutation of the dimensions`, [x!.shape])
      return [{ shape: list.map((axis) => x!.shape[axis]!), dtype: x!.dtype }]
    },
    vjp({ gradients: [dy], attributes: { order } }): Gradients {
      const inverse: number[] = []
      ;(order as readonly number[]).forEach((from, to) => {
        inverse[from] = to
      })
      return [dy!.transpose(inverse)]
    },
    lower({ inputs: [x], outputs: [y], attributes: { order }, emit }) {
      emit('Transpose', [x!.name], { perm: order as readonly number[] }, { outputs: [y!.name] })
    },
  },

  broadcastTo: {
    summary: 'size-1 dimensions repeated (and leading ones added) up to a shape',
    infer([x], { shape }) {
      const target = shape as readonly number[]
      const lead = target.length - x!.shape.length
      if (lead < 0 || x!.shape.some((dim, axis) => dim !== 1 && dim !== target[axis + lead]))
        throw shapeError('broadcastTo', 'does not broadcast to the target', [x!.shape, target])
      return [{ shape: target, dtype: x!.dtype }]
    },
    vjp: ({ inputs: [x], gradients: [dy] }) => [unbroadcast(dy!, x!)],
    lower({ inputs: [x], outputs: [y], emit, ints }) {
      const target = fixed('broadcastTo', y!.shape)
      // ONNX Runtime takes an Expand from [1] to [0] for one that does nothing, and drops it.
      if (target.includes(0))
        emit('Cast', [emit('ConstantOfShape', [ints(target)])], { to: dtypes[y!.dtype].onnx }, { outputs: [y!.name] })
      else emit('Expand', [x!.name, ints(target)], {}, { outputs: [y!.name] })
    },
  },

  split: {
    summary: 'pieces of given sizes along one dimension',
    infer([x], { sizes, axis }) {
      const at = normalizeAxis('split', axis as number, x!.shape)
      const list = sizes as readonly number[]
      if (list.reduce((sum, size) => sum + size, 0) !== x!.shape[at])
        throw shapeError('split', `sizes [${list.join(', ')}] do not add up to dimension ${at}`, [x!.shape])
      return list.map((size) => ({ shape: x!.shape.map((dim, index) => (index === at ? size : dim)), dtype: x!.dtype }))
    },
    vjp({ inputs: [x], outputs, gradients, attributes: { axis } }): Gradients {
      const { builder } = x!
      const zeros = (index: number) => builder.scalar(0).broadcastTo(fixed('split', outputs[index]!.shape))
      const parts = gradients.map((gradient, index) => gradient ?? zeros(index))
      return [builder.apply('concat', parts, { axis: axis as number })[0]]
    },
    lower({ inputs: [x], outputs, attributes: { sizes, axis }, emit, ints }) {
      const at = normalizeAxis('split', axis as number, x!.shape)
      emit('Split', [x!.name, ints(sizes as readonly number[])], { axis: at }, { outputs: outputs.map(({ name }) => name) })
    },
  },

  concat: {
    summary: 'tensors one after the other along one dimension',
    infer(inputs, { axis }) {
      const first = inputs[0]!
      const at = normalizeAxis('concat', axis as number, first.shape)
      for (const input of inputs) expectDtype('concat', input, first.dtype)
      for (const { shape } of inputs)
        if (shape.length !== first.shape.length || shape.some((dim, index) => index !== at && dim !== first.shape[index]))
          throw shapeError(
            'concat',
            `sizes differ outside dimension ${at}`,
            inputs.map((input) => input.shape),
          )
      const total = inputs.reduce((sum, { shape }) => sum + fixed('concat', [shape[at]!])[0]!, 0)
      return [{ shape: first.shape.map((dim, index) => (index === at ? total : dim)), dtype: first.dtype }]
    },
    vjp({ inputs, gradients: [dy], attributes: { axis } }): Gradients {
      const at = normalizeAxis('concat', axis as number, inputs[0]!.shape)
      return dy!.split(
        inputs.map(({ shape }) => shape[at] as number),
        at,
      )
    },
    lower({ inputs, outputs: [y], attributes: { axis }, emit }) {
      emit(
        'Concat',
        inputs.map(({ name }) => name),
        { axis: axis as number },
        { outputs: [y!.name] },
      )
    },
  },
})
