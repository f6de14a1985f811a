import type { Attributes, Value } from '../program.js'
import { defineOps, expectDtype, fixed, shapeError } from './define.js'

/** Sizes of a matrix in blocks: codes u8 [rows, blocks, block·bits/8], scales f32 [rows, blocks]. */
function blockSizes(op: string, codes: Value, scales: Value, { bits, block }: Attributes) {
  expectDtype(op, codes, 'u8')
  expectDtype(op, scales, 'f32')
  const [rows, blocks, bytes] = fixed(op, codes.shape)
  const fits = codes.shape.length === 3 && bytes === ((block as number) * (bits as number)) / 8
  if (!fits || scales.shape.join() !== `${rows},${blocks}`)
    throw shapeError(op, `expected codes [rows, blocks, ${block}·${bits}/8] and scales [rows, blocks]`, [
      codes.shape,
      scales.shape,
    ])
  return { rows: rows!, blocks: blocks!, columns: blocks! * (block as number) }
}

/** Matrices of small whole numbers. A weight is (code - 2^(bits - 1)) · scale of its block; the lower half of a byte comes first. */
export const quantized = defineOps({
  matmulQuantized: {
    summary:
      'x · Wᵀ for a W [out, in] of 4- or 8-bit numbers in blocks of a row, a scale each; rounds x to 8 bits in blocks, too, unless `exact`',
    infer([x, codes, scales], attributes) {
      expectDtype('matmulQuantized', x!, 'f32')
      const { rows, columns } = blockSizes('matmulQuantized', codes!, scales!, attributes)
      const width = fixed('matmulQuantized', x!.shape.slice(-1))[0]!
      if (width > columns || width <= columns - (attributes.block as number))
        throw shapeError('matmulQuantized', 'the last size of x must be that of the rows', [x!.shape, codes!.shape])
      return [{ shape: [...x!.shape.slice(0, -1), rows], dtype: 'f32' }]
    },
    lower({ inputs: [x, codes, scales], outputs: [y], attributes: { bits, block, exact }, emit }) {
      const K = x!.shape.at(-1) as number
      const N = y!.shape.at(-1) as number
      emit(
        'MatMulNBits',
        [x!.name, codes!.name, scales!.name],
        { K, N, bits: bits as number, block_size: block as number, accuracy_level: exact ? 1 : 4 },
        { outputs: [y!.name], domain: 'com.microsoft' },
      )
    },
  },

  gatherQuantized: {
    summary: 'rows of a matrix of 4- or 8-bit numbers in blocks, a scale each, as f32',
    infer([codes, indices, scales], attributes) {
      expectDtype('gatherQuantized', indices!, 'i64', 'i32')
      const { columns } = blockSizes('gatherQuantized', codes!, scales!, attributes)
      return [{ shape: [...indices!.shape, columns], dtype: 'f32' }]
    },
    indices: ([codes]) => ({ rows: codes!.shape[0]! }),
    lower({ inputs: [codes, indices, scales], outputs: [y], attributes: { bits, block }, emit, ints }) {
      const { rows, columns } = blockSizes('gatherQuantized', codes!, scales!, { bits: bits!, block: block! })
      // Constants are reshaped when the session is made.
      const table = emit('Reshape', [codes!.name, ints([rows, (columns * (bits as number)) / 8])])
      emit(
        'GatherBlockQuantized',
        [table, indices!.name, scales!.name],
        { gather_axis: 0, quantize_axis: 1, block_size: block as number, bits: bits as number },
        { outputs: [y!.name], domain: 'com.microsoft' },
      )
    },
  },
})
