/**
 * Conversions between float32 and the two 16-bit formats: IEEE half ("f16") and bfloat16 ("bf16"), on bit patterns, so that
 * signs of zero, subnormals and infinities survive. Rounding is to nearest, ties to even.
 */

/** The bits of all 65,536 halves as float32: 256 KiB, a constant. */
const HALF_TO_FLOAT = Uint32Array.from({ length: 65_536 }, (_, half) => {
  const sign = (half & 0x8000) << 16
  const exponent = (half >>> 10) & 31
  const fraction = half & 1023
  if (exponent === 31) return sign | 0x7f800000 | (fraction << 13)
  if (exponent > 0) return sign | ((exponent + 112) << 23) | (fraction << 13)
  if (fraction === 0) return sign
  // A subnormal half is a normal float32: move its first set bit to the hidden place.
  const shift = Math.clz32(fraction) - 21
  return sign | ((113 - shift) << 23) | ((fraction << (13 + shift)) & 0x7fffff)
})

/** Widens halves to float32, into `target` of the same length. */
export function float16ToFloat32(source: Uint16Array, target: Float32Array): void {
  const bits = bitsOf(target)
  for (let index = 0; index < source.length; index++) bits[index] = HALF_TO_FLOAT[source[index]!]!
}

/** Widens bfloat16 to float32, into `target` of the same length. */
export function bfloat16ToFloat32(source: Uint16Array, target: Float32Array): void {
  const bits = bitsOf(target)
  for (let index = 0; index < source.length; index++) bits[index] = source[index]! << 16
}

/** Rounds float32 to halves. Returns how many finite values became infinite (beyond ±65,504). */
export function float32ToFloat16(source: Float32Array, target: Uint16Array): number {
  const input = bitsOf(source)
  let overflows = 0
  for (let index = 0; index < input.length; index++) {
    const bits = input[index]!
    const magnitude = bits & 0x7fffffff
    let half: number
    if (magnitude >= 0x38800000) {
      if (magnitude < 0x477ff000) {
        half = (magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13
      } else if (magnitude > 0x7f800000) {
        half = 0x7e00 | ((magnitude >>> 13) & 0x3ff)
      } else {
        half = 0x7c00
        if (magnitude < 0x7f800000) overflows++
      }
    } else if (magnitude <= 0x33000000) {
      half = 0
    } else {
      // Subnormal: shift the mantissa, hidden bit included, and round what falls out.
      const mantissa = (magnitude & 0x7fffff) | 0x800000
      const shift = 126 - (magnitude >>> 23)
      half = mantissa >>> shift
      const rest = mantissa & ((1 << shift) - 1)
      const middle = 1 << (shift - 1)
      if (rest > middle || (rest === middle && (half & 1) === 1)) half++
    }
    target[index] = ((bits >>> 16) & 0x8000) | half
  }
  return overflows
}

/** Rounds float32 to bfloat16. Returns how many finite values became infinite. */
export function float32ToBfloat16(source: Float32Array, target: Uint16Array): number {
  const input = bitsOf(source)
  let overflows = 0
  for (let index = 0; index < input.length; index++) {
    const bits = input[index]!
    const magnitude = bits & 0x7fffffff
    if (magnitude > 0x7f800000) {
      target[index] = (bits >>> 16) | 0x40
    } else {
      const rounded = (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16
      if ((rounded & 0x7fff) === 0x7f80 && magnitude < 0x7f800000) overflows++
      target[index] = rounded
    }
  }
  return overflows
}

function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length)
}
