// Conversion between f32 and f16 after Fabian Giesen, "Float->half variants": exact, subnormals and infinities included,
// round to nearest even; NaN becomes the quiet NaN 0x7e00.
const sign = 0x80000000
const infinity32 = 0x7f800000
const overflow = 0x47800000 // 65536
const smallestNormal = 0x38800000 // 2^-14
const denormalMagic = 0x3f000000 // adding 0.5 rounds a subnormal half into the low mantissa bits
const rebias = 0xc8000fff // (15 − 127) << 23, and half a unit in the last place

function toHalves(value: v128): v128 {
  const signs = v128.and(value, i32x4.splat(sign))
  const f = v128.xor(value, signs)
  const special = v128.bitselect(i32x4.splat(0x7e00), i32x4.splat(0x7c00), i32x4.gt_s(f, i32x4.splat(infinity32)))
  const subnormal = i32x4.sub(f32x4.add(f, i32x4.splat(denormalMagic)), i32x4.splat(denormalMagic))
  const odd = v128.and(i32x4.shr_u(f, 13), i32x4.splat(1))
  const normal = i32x4.shr_u(i32x4.add(i32x4.add(f, i32x4.splat(rebias)), odd), 13)
  const finite = v128.bitselect(subnormal, normal, i32x4.lt_s(f, i32x4.splat(smallestNormal)))
  const half = v128.bitselect(special, finite, i32x4.ge_s(f, i32x4.splat(overflow)))
  return v128.or(half, i32x4.shr_u(signs, 16))
}

function toFloats(half: v128): v128 {
  const magnitude = v128.and(half, i32x4.splat(0x7fff))
  // Shifting into place leaves the exponent 112 too small; multiplying by 2^112 also normalises subnormals.
  const scaled = f32x4.mul(i32x4.shl(magnitude, 13), f32x4.splat(5.192296858534828e33))
  const special = v128.or(scaled, v128.and(i32x4.ge_s(magnitude, i32x4.splat(0x7c00)), i32x4.splat(infinity32)))
  return v128.or(special, i32x4.shl(v128.and(half, i32x4.splat(0x8000)), 16))
}

export function floatToHalf(to: usize, from: usize, count: usize): void {
  const vectors: usize = count & ~3
  let i: usize = 0
  for (; i < vectors; i += 4) {
    const halves = toHalves(v128.load(from + (i << 2)))
    v128.store64_lane(to + (i << 1), i16x8.narrow_i32x4_u(halves, halves), 0)
  }
  for (; i < count; i++) store<u16>(to + (i << 1), <u16>i32x4.extract_lane(toHalves(v128.load32_splat(from + (i << 2))), 0))
}

export function halfToFloat(to: usize, from: usize, count: usize): void {
  const vectors: usize = count & ~3
  let i: usize = 0
  for (; i < vectors; i += 4) v128.store(to + (i << 2), toFloats(v128.load16x4_u(from + (i << 1))))
  for (; i < count; i++) v128.store32_lane(to + (i << 2), toFloats(i32x4.splat(<i32>load<u16>(from + (i << 1)))), 0)
}
