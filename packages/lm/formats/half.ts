import { float32ToFloat16 } from '@enigma/tensor/formats'

/** The half-precision number in two bytes, little-endian. */
export function halfAt(bytes: Uint8Array, at: number): number {
  const bits = bytes[at]! | (bytes[at + 1]! << 8)
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (1024 + fraction) * 2 ** (exponent - 25)
}

/** Writes numbers as halves, rounded to nearest; gives 1 where a finite one became infinite. */
export function halfWriter(): (value: number, bytes: Uint8Array, at: number) => number {
  const float = new Float32Array(1)
  const half = new Uint16Array(1)
  return (value, bytes, at) => {
    float[0] = value
    const overflows = float32ToFloat16(float, half)
    bytes[at] = half[0]! & 255
    bytes[at + 1] = half[0]! >> 8
    return overflows
  }
}
