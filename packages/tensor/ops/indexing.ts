import { defineOps, expectDtype, fixed, type Gradients, normalizeAxis, shapeError } from './define.js'

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

  takeAlongLast: {
    summary: 'elements of the last dimension at integer indices',
    infer([x, indices]) {
      expectDtype('takeAlongLast', indices!, 'i64', 'i32')
      if (x!.shape.slice(0, -1).join() !== indices!.shape.slice(0, -1).join() || x!.shape.length !== indices!.shape.length)
        throw shapeError('takeAlongLast', 'all dimensions but the last must agree', [x!.shape, indices!.shape])
      return [{ shape: indices!.shape, dtype: x!.dtype }]
    },
    vjp({ inputs: [x, indices], gradients: [dy] }) {
      const zeros = x!.builder.scalar(0).broadcastTo(fixed('takeAlongLast', x!.shape))
      return [zeros.scatterAddLast(indices!, dy!), undefined]
    },
    lower({ inputs: [x, indices], outputs: [y], emit }) {
      emit('GatherElements', [x!.name, indices!.name], { axis: -1 }, { outputs: [y!.name] })
    },
  },

  scatterAddLast: {
    summary: 'x with updates added at integer indices of the last dimension',
    infer([x, indices, updates]) {
      expectDtype('scatterAddLast', indices!, 'i64', 'i32')
      if (indices!.shape.join() !== updates!.shape.join())
        throw shapeError('scatterAddLast', 'indices and updates must have one shape', [indices!.shape, updates!.shape])
      return [{ shape: x!.shape, dtype: x!.dtype }]
    },
    vjp: ({ inputs: [, indices], gradients: [dy] }) => [dy!, undefined, dy!.takeAlongLast(indices!)],
    lower({ inputs: [x, indices, updates], outputs: [y], emit }) {
      emit('ScatterElements', [x!.name, indices!.name, updates!.name], { axis: -1, reduction: 'add' }, { outputs: [y!.name] })
    },
  },
})
