/** Squares, in f64, of the first two of four f32. */
function squares(values: v128): v128 {
  const wide = f64x2.promote_low_f32x4(values)
  return f64x2.mul(wide, wide)
}

/** The last two of four f32, in the places of the first two. */
function upper(values: v128): v128 {
  return i8x16.shuffle(values, values, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15)
}

/** Σx², accumulated in f64 in a fixed order, in four sums: an addition waits for the one before it. */
export function sumOfSquares(x: usize, count: usize): f64 {
  let a = f64x2.splat(0)
  let b = f64x2.splat(0)
  let c = f64x2.splat(0)
  let d = f64x2.splat(0)
  const end: usize = count << 2
  const vectors: usize = end & ~31
  let o: usize = 0
  for (; o < vectors; o += 32) {
    const first = v128.load(x + o)
    const second = v128.load(x + o, 16)
    a = f64x2.add(a, squares(first))
    b = f64x2.add(b, squares(upper(first)))
    c = f64x2.add(c, squares(second))
    d = f64x2.add(d, squares(upper(second)))
  }
  const all = f64x2.add(f64x2.add(a, b), f64x2.add(c, d))
  let sum = f64x2.extract_lane(all, 0) + f64x2.extract_lane(all, 1)
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
