/** Σx², accumulated in f64 in a fixed order. */
export function sumOfSquares(x: usize, count: usize): f64 {
  let low = f64x2.splat(0)
  let high = f64x2.splat(0)
  const end: usize = count << 2
  const vectors: usize = end & ~15
  let o: usize = 0
  for (; o < vectors; o += 16) {
    const values = v128.load(x + o)
    const first = f64x2.promote_low_f32x4(values)
    const second = f64x2.promote_low_f32x4(
      i8x16.shuffle(values, values, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15),
    )
    low = f64x2.add(low, f64x2.mul(first, first))
    high = f64x2.add(high, f64x2.mul(second, second))
  }
  const both = f64x2.add(low, high)
  let sum = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1)
  for (; o < end; o += 4) {
    const value = <f64>load<f32>(x + o)
    sum += value * value
  }
  return sum
}

/** Whether any element is infinite or not a number: 1 or 0. */
export function hasNonFinite(x: usize, count: usize): i32 {
  const infinity = i32x4.splat(0x7f800000)
  const end: usize = count << 2
  const vectors: usize = end & ~15
  let o: usize = 0
  for (; o < vectors; o += 16) {
    const magnitudes = v128.and(v128.load(x + o), i32x4.splat(0x7fffffff))
    if (v128.any_true(i32x4.ge_s(magnitudes, infinity))) return 1
  }
  for (; o < end; o += 4) if ((load<i32>(x + o) & 0x7fffffff) >= 0x7f800000) return 1
  return 0
}
