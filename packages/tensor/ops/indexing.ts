import { dtypes } from '../dtype.js'
import type { Attributes, Value } from '../program.js'
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
    indices: alongAxis,
    lower({ inputs: [x, index, source], outputs: [y], attributes: { axis }, emit }) {
      const attributes = { axis: axis as number, reduction }
      emit('ScatterElements', [x!.name, index!.name, source!.name], attributes, { outputs: [y!.name] })
    },
  }
}

const rowsOf = ([x]: readonly Value[]) => ({ rows: x!.shape[0]! })
const alongAxis = ([x]: readonly Value[], { axis }: Attributes) => ({ rows: x!.shape.at(axis as number)! })

const productOf = (sizes: readonly number[]) => sizes.reduce((product, size) => product * size, 1)

/** Numbers that ONNX Runtime 1.30 adds on one thread: it shares work from 210,000 on. */
const serialElements = 2 ** 17
/** Narrower blocks are slow. */
const leastColumns = 16

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
    indices: rowsOf,
    lower({ inputs: [x, indices], outputs: [y], emit }) {
      emit('Gather', [x!.name, indices!.name], { axis: 0 }, { outputs: [y!.name] })
    },
  },

  scatterAddRows: {
    summary: 'x with rows added at integer indices, in order',
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
    indices: rowsOf,
    // ScatterElements takes 10 ns an element. ScatterND adds whole rows, but shares them among threads, and then rows of one index
    // race, unless the work is too little to be shared: so it gets blocks of columns and of rows that are.
    lower({ inputs: [x, indices, updates], outputs: [y], emit, ints }) {
      const count = productOf(fixed('scatterAddRows', indices!.shape))
      const height = typeof x!.shape[0] === 'number' ? x!.shape[0] : -1
      const width = productOf(fixed('scatterAddRows', x!.shape.slice(1)))
      if (count === 0) {
        emit('Identity', [x!.name], {}, { outputs: [y!.name] })
        return
      }
      const columns = Math.max(leastColumns, Math.floor(serialElements / count))
      const rows = Math.max(1, Math.floor(serialElements / Math.min(columns, width)))
      const ids = emit('Reshape', [indices!.name, ints([count, 1])])
      const wide = indices!.dtype === 'i64' ? ids : emit('Cast', [ids], { to: dtypes.i64.onnx })
      const pieces = (name: string, axis: number, size: number, most: number) => {
        const sizes = Array.from({ length: Math.ceil(size / most) }, (_, index) => Math.min(most, size - index * most))
        if (sizes.length === 1) return [name]
        const outputs = sizes.map((_, index) => `${name}#${y!.name}.${axis}.${index}`)
        emit('Split', [name, ints(sizes)], { axis }, { outputs })
        return outputs
      }
      const someIds = pieces(wide, 0, count, rows)
      const source = emit('Reshape', [updates!.name, ints([count, width])], { allowzero: 1 })
      const sources = pieces(source, 1, width, columns)
      const targets = pieces(emit('Reshape', [x!.name, ints([height, width])], { allowzero: 1 }), 1, width, columns)
      const sums = targets.map((target, block) =>
        pieces(sources[block]!, 0, count, rows).reduce(
          (sum, piece, index) => emit('ScatterND', [sum, someIds[index]!, piece], { reduction: 'add' }),
          target,
        ),
      )
      const whole = { outputs: [y!.name] }
      const shape = [height, ...fixed('scatterAddRows', x!.shape.slice(1))]
      if (shape.length === 2) emit('Concat', sums, { axis: 1 }, whole)
      else emit('Reshape', [emit('Concat', sums, { axis: 1 }), ints(shape)], { allowzero: 1 }, whole)
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
    indices: alongAxis,
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
    indices: alongAxis,
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
