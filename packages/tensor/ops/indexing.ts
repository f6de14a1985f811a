import type { Value } from '../program.js'
import {
  defineOps,
  expectDtype,
  fixed,
  type Gradients,
  normalizeAxis,
  type OpDefinition,
  shapeError,
  type VjpContext,
} from './define.js'

/** Indices of single elements: the rank of x, and no larger than x in any other dimension, as PyTorch's gather wants. */
function expectElements(op: string, x: Value, index: Value, axis: number): void {
  expectDtype(op, index, 'i64', 'i32')
  const at = normalizeAxis(op, axis, x.shape)
  const fits = x.shape.length === index.shape.length && x.shape.every((size, i) => i === at || size >= index.shape[i]!)
  if (!fits)
    throw shapeError(op, `the index needs the rank of x and must not be larger outside of dimension ${at}`, [
      x.shape,
      index.shape,
    ])
}

function scattering(
  name: string,
  summary: string,
  reduction: 'none' | 'add',
  vjp: (context: VjpContext) => Gradients,
): OpDefinition {
  return {
    summary,
    infer([x, index, source], { axis }) {
      expectElements(name, x!, index!, axis as number)
      expectDtype(name, source!, x!.dtype)
      if (index!.shape.join() !== source!.shape.join())
        throw shapeError(name, 'index and source must have one shape', [index!.shape, source!.shape])
      return [{ shape: x!.shape, dtype: x!.dtype }]
    },
    vjp,
    lower({ inputs: [x, index, source], outputs: [y], attributes: { axis }, emit }) {
      const attributes = { axis: axis as number, reduction }
      emit('ScatterElements', [x!.name, index!.name, source!.name], attributes, { outputs: [y!.name] })
    },
  }
}

export const indexing = defineOps({
  gatherRows: {
    summary: 'rows of x at integer indices: the embedding look-up',
    infer([x, indices]) {
      expectDtype('gatherRows', indices!, 'i64', 'i32')
      if (x!.shape.length < 1) throw shapeError('gatherRows', 'a scalar has no rows', [x!.shape])
      return [{ shape: [...indices!.shape, ...x!.shape.slice(1)], dtype: x!.dtype }]
    },
    vjp({ inputs: [x, indices], gradients: [dy] }) {
      const zeros = x!.builder.scalar(0).broadcastTo(fixed('gatherRows', x!.shape))
      return [zeros.scatterAddRows(indices!, dy!), undefined]
    },
    lower({ inputs: [x, indices], outputs: [y], emit }) {
      emit('Gather', [x!.name, indices!.name], { axis: 0 }, { outputs: [y!.name] })
    },
  },

  scatterAddRows: {
    summary: 'x with rows added at integer indices, serially and in order (ONNX ScatterND with add is a data race)',
    infer([x, indices, updates]) {
      expectDtype('scatterAddRows', indices!, 'i64', 'i32')
      const expected = [...indices!.shape, ...x!.shape.slice(1)]
      if (expected.join() !== updates!.shape.join())
        throw shapeError('scatterAddRows', `updates should have shape [${expected.join(', ')}]`, [
          x!.shape,
          indices!.shape,
          updates!.shape,
        ])
      return [{ shape: x!.shape, dtype: x!.dtype }]
    },
    vjp: ({ inputs: [, indices], gradients: [dy] }) => [dy!, undefined, dy!.gatherRows(indices!)],
    lower({ inputs: [x, indices, updates], outputs: [y], emit, ints }) {
      const rows = fixed('scatterAddRows', indices!.shape).reduce((product, size) => product * size, 1)
      const row = fixed('scatterAddRows', x!.shape.slice(1))
      if (rows === 0) {
        emit('Identity', [x!.name], {}, { outputs: [y!.name] })
        return
      }
      const column = emit('Reshape', [indices!.name, ints([rows, ...row.map(() => 1)])], {})
      const wide = emit('Expand', [column, ints([rows, ...row])], {})
      const flat = emit('Reshape', [updates!.name, ints([rows, ...row])], { allowzero: 1 })
      emit('ScatterElements', [x!.name, wide, flat], { axis: 0, reduction: 'add' }, { outputs: [y!.name] })
    },
  },

  indexSelect: {
    summary: 'slices of x at integer indices [n] along one dimension',
    infer([x, indices], { axis }) {
      expectDtype('indexSelect', indices!, 'i64', 'i32')
      const at = normalizeAxis('indexSelect', axis as number, x!.shape)
      if (indices!.shape.length !== 1) throw shapeError('indexSelect', 'indices must be a vector', [x!.shape, indices!.shape])
      return [{ shape: x!.shape.map((dim, index) => (index === at ? indices!.shape[0]! : dim)), dtype: x!.dtype }]
    },
    vjp({ inputs: [x, indices], gradients: [dy], attributes: { axis } }): Gradients {
      const at = normalizeAxis('indexSelect', axis as number, x!.shape)
      const toFront = [at, ...x!.shape.keys()].filter((value, index) => index === 0 || value !== at)
      const back = toFront.map((_, to) => toFront.indexOf(to))
      const shape = fixed(
        'indexSelect',
        toFront.map((from) => x!.shape[from]!),
      )
      const zeros = x!.builder.scalar(0).broadcastTo(shape)
      return [zeros.scatterAddRows(indices!, dy!.transpose(toFront)).transpose(back), undefined]
    },
    lower({ inputs: [x, indices], outputs: [y], attributes: { axis }, emit }) {
      emit('Gather', [x!.name, indices!.name], { axis: axis as number }, { outputs: [y!.name] })
    },
  },

  gather: {
    summary: 'elements of x along one dimension at integer indices: y[i][j] = x[index[i][j]][j] for dimension 0',
    infer([x, index], { axis }) {
      expectElements('gather', x!, index!, axis as number)
      return [{ shape: index!.shape, dtype: x!.dtype }]
    },
    vjp({ inputs: [x, index], gradients: [dy], attributes: { axis } }) {
      const zeros = x!.builder.scalar(0).broadcastTo(fixed('gather', x!.shape))
      return [zeros.scatterAdd(axis as number, index!, dy!), undefined]
    },
    lower({ inputs: [x, index], outputs: [y], attributes: { axis }, emit }) {
      emit('GatherElements', [x!.name, index!.name], { axis: axis as number }, { outputs: [y!.name] })
    },
  },

  scatter: scattering(
    'scatter',
    'x with elements replaced at integer indices along one dimension',
    'none',
    ({ inputs: [, index], gradients: [dy], attributes }) => {
      const axis = attributes.axis as number
      const zeros = dy!.builder.scalar(0).broadcastTo(fixed('scatter', index!.shape))
      return [dy!.scatter(axis, index!, zeros), undefined, dy!.gather(axis, index!)]
    },
  ),

  scatterAdd: scattering(
    'scatterAdd',
    'x with numbers added at integer indices along one dimension, serially and in order',
    'add',
    ({ inputs: [, index], gradients: [dy], attributes: { axis } }) => [dy!, undefined, dy!.gather(axis as number, index!)],
  ),
})
