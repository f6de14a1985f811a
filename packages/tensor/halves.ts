import type { HostTensor } from './dtype.js'
import { TensorError } from './errors.js'
import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from './formats/float16.js'

const halves = {
  f16: { widen: float16ToFloat32, round: float32ToFloat16 },
  bf16: { widen: bfloat16ToFloat32, round: float32ToBfloat16 },
} as const

/** The numbers of an f16, bf16 or f32 tensor; those of an f32 tensor are not copied. */
export function toFloat32({ dtype, data }: HostTensor): Float32Array {
  if (data instanceof Float32Array) return data
  if ((dtype !== 'f16' && dtype !== 'bf16') || !(data instanceof Uint16Array))
    throw new TensorError('DTYPE_MISMATCH', `toFloat32: expected f16, bf16 or f32, got ${dtype}.`)
  const wide = new Float32Array(data.length)
  halves[dtype].widen(data, wide)
  return wide
}

/** Numbers as the words of an f16 or bf16 tensor, rounded to nearest, ties to even; what is too large becomes infinite. */
export function fromFloat32(numbers: Float32Array, dtype: keyof typeof halves): Uint16Array {
  const words = new Uint16Array(numbers.length)
  halves[dtype].round(numbers, words)
  return words
}
