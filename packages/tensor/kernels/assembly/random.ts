// Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011): a block of four words is
// a function of a key (the seed) and a counter (block number, stream), so any part of a stream can be made anywhere.
const multiplier0: u64 = 0xd2511f53
const multiplier1: u64 = 0xcd9e8d57
const weyl0: u32 = 0x9e3779b9
const weyl1: u32 = 0xbb67ae85
const uniformScale: f32 = 5.9604644775390625e-8 // 2^-24
const twoPi: f64 = 6.283185307179586

function block(counter: u64, stream: u64, seed: u64): v128 {
  let c0 = <u32>counter
  let c1 = <u32>(counter >> 32)
  let c2 = <u32>stream
  let c3 = <u32>(stream >> 32)
  let k0 = <u32>seed
  let k1 = <u32>(seed >> 32)
  for (let round = 0; round < 10; round++) {
    const product0 = multiplier0 * <u64>c0
    const product1 = multiplier1 * <u64>c2
    c0 = <u32>(product1 >> 32) ^ c1 ^ k0
    c2 = <u32>(product0 >> 32) ^ c3 ^ k1
    c1 = <u32>product1
    c3 = <u32>product0
    k0 += weyl0
    k1 += weyl1
  }
  return i32x4.replace_lane(i32x4.replace_lane(i32x4.replace_lane(i32x4.splat(<i32>c0), 1, <i32>c1), 2, <i32>c2), 3, <i32>c3)
}

/** Four numbers of [0, 1) with 24 bits each. */
function uniforms(words: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_u(i32x4.shr_u(words, 8)), f32x4.splat(uniformScale))
}

/** ln u for u > 0: exponent and the atanh series of the mantissa, to 1e-13. */
function log(u: f64): f64 {
  const bits = reinterpret<i64>(u)
  let exponent = (bits >> 52) - 1023
  let mantissa = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000)
  if (mantissa > Math.SQRT2) {
    mantissa *= 0.5
    exponent += 1
  }
  const s = (mantissa - 1) / (mantissa + 1)
  const q = s * s
  const series = 1 + q * (1.0 / 3 + q * (1.0 / 5 + q * (1.0 / 7 + q * (1.0 / 9 + q * (1.0 / 11 + q * (1.0 / 13 + q / 15))))))
  return <f64>exponent * Math.LN2 + 2 * s * series
}

/** sin x and cos x for |x| ≤ π/4 by their Taylor series, to 1e-13. */
function sine(x: f64): f64 {
  const q = x * x
  return x * (1 - (q / 6) * (1 - (q / 20) * (1 - (q / 42) * (1 - (q / 72) * (1 - (q / 110) * (1 - q / 156))))))
}
function cosine(x: f64): f64 {
  const q = x * x
  return 1 - (q / 2) * (1 - (q / 12) * (1 - (q / 30) * (1 - (q / 56) * (1 - (q / 90) * (1 - (q / 132) * (1 - q / 182))))))
}

/** Two independent standard normal numbers from two words (Box and Muller 1958), as [cosine, sine, 0, 0]. */
function boxMuller(word0: u32, word1: u32): v128 {
  const radius = sqrt<f64>(-2 * log((<f64>(word0 >> 8) + 1) * <f64>uniformScale))
  const turn = <f64>(word1 >> 8) * <f64>uniformScale
  const quarter = <i32>(turn * 4 + 0.5)
  const angle = (turn - <f64>quarter * 0.25) * twoPi
  let c = cosine(angle)
  let s = sine(angle)
  if (quarter & 1) {
    const t = c
    c = -s
    s = t
  }
  if (quarter & 2) {
    c = -c
    s = -s
  }
  return f32x4.replace_lane(f32x4.splat(<f32>(radius * c)), 1, <f32>(radius * s))
}

function normals(words: v128): v128 {
  const first = boxMuller(<u32>i32x4.extract_lane(words, 0), <u32>i32x4.extract_lane(words, 1))
  const second = boxMuller(<u32>i32x4.extract_lane(words, 2), <u32>i32x4.extract_lane(words, 3))
  return i8x16.shuffle(first, second, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23)
}

/** Stores lanes `lane`, `lane + 1`, … of a block; returns how many of `left` that was. */
function storeLanes(to: usize, values: v128, lane: usize, left: usize): usize {
  const lanes = min<usize>(4 - lane, left)
  if (lanes === 4) v128.store(to, values)
  else
    for (let i: usize = 0; i < lanes; i++) {
      const index = lane + i
      if (index === 0) v128.store32_lane(to + (i << 2), values, 0)
      else if (index === 1) v128.store32_lane(to + (i << 2), values, 1)
      else if (index === 2) v128.store32_lane(to + (i << 2), values, 2)
      else v128.store32_lane(to + (i << 2), values, 3)
    }
  return lanes
}

/** High or low words of the products of four words and a multiplier. */
function high(words: v128, multiplier: v128): v128 {
  const first = i64x2.extmul_low_i32x4_u(words, multiplier)
  const second = i64x2.extmul_high_i32x4_u(words, multiplier)
  return i8x16.shuffle(first, second, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31)
}

/** Stores four consecutive blocks: 16 words. Four counters at a time, one word of each in a vector, turned at the end. */
function storeBlocks(to: usize, counter: u64, stream: u64, seed: u64): void {
  const counters01 = i64x2.add(i64x2.splat(counter), i64x2(0, 1))
  const counters23 = i64x2.add(i64x2.splat(counter), i64x2(2, 3))
  let c0 = i8x16.shuffle(counters01, counters23, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27)
  let c1 = i8x16.shuffle(counters01, counters23, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31)
  let c2 = i32x4.splat(<i32>stream)
  let c3 = i32x4.splat(<i32>(stream >> 32))
  let k0 = <u32>seed
  let k1 = <u32>(seed >> 32)
  const m0 = i32x4.splat(<i32>multiplier0)
  const m1 = i32x4.splat(<i32>multiplier1)
  for (let round = 0; round < 10; round++) {
    const high0 = high(c0, m0)
    const high1 = high(c2, m1)
    const low0 = i32x4.mul(c0, m0)
    const low1 = i32x4.mul(c2, m1)
    c0 = v128.xor(v128.xor(high1, c1), i32x4.splat(<i32>k0))
    c2 = v128.xor(v128.xor(high0, c3), i32x4.splat(<i32>k1))
    c1 = low1
    c3 = low0
    k0 += weyl0
    k1 += weyl1
  }
  const low01 = i8x16.shuffle(c0, c1, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23)
  const high01 = i8x16.shuffle(c0, c1, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31)
  const low23 = i8x16.shuffle(c2, c3, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23)
  const high23 = i8x16.shuffle(c2, c3, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31)
  v128.store(to, i8x16.shuffle(low01, low23, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23))
  v128.store(to, i8x16.shuffle(low01, low23, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31), 16)
  v128.store(to, i8x16.shuffle(high01, high23, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23), 32)
  v128.store(to, i8x16.shuffle(high01, high23, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31), 48)
}

/** Raw words of a stream from its element `offset`: what the reference vectors are about. */
export function philox(to: usize, count: usize, seed: u64, stream: u64, offset: u64): void {
  let i: usize = 0
  while (i < count) {
    const at = offset + <u64>i
    if ((at & 3) === 0 && count - i >= 16) {
      storeBlocks(to + (i << 2), at >> 2, stream, seed)
      i += 16
    } else i += storeLanes(to + (i << 2), block(at >> 2, stream, seed), <usize>(at & 3), count - i)
  }
}

/** low + (high − low)·u with u of [0, 1). */
export function uniform(to: usize, count: usize, seed: u64, stream: u64, offset: u64, low: f32, high: f32): void {
  philox(to, count, seed, stream, offset)
  const starts = f32x4.splat(low)
  const widths = f32x4.splat(high - low)
  const vectors = to + ((count & ~3) << 2)
  const end = to + (count << 2)
  let o = to
  for (; o < vectors; o += 16) v128.store(o, f32x4.add(f32x4.mul(uniforms(v128.load(o)), widths), starts))
  for (; o < end; o += 4) {
    const values = f32x4.add(f32x4.mul(uniforms(v128.load32_splat(o)), widths), starts)
    v128.store32_lane(o, values, 0)
  }
}

/** A dropout mask: 0 with probability `drop`, else `kept`. */
export function bernoulli(to: usize, count: usize, seed: u64, stream: u64, offset: u64, drop: f32, kept: f32): void {
  philox(to, count, seed, stream, offset)
  const limits = f32x4.splat(drop)
  const values = f32x4.splat(kept)
  const vectors = to + ((count & ~3) << 2)
  const end = to + (count << 2)
  let o = to
  for (; o < vectors; o += 16) v128.store(o, v128.and(f32x4.ge(uniforms(v128.load(o)), limits), values))
  for (; o < end; o += 4) v128.store32_lane(o, v128.and(f32x4.ge(uniforms(v128.load32_splat(o)), limits), values), 0)
}

/** mean + deviation·z with z standard normal: pairs lie within blocks, so that a tensor may begin and end within one. */
export function normal(to: usize, count: usize, seed: u64, stream: u64, offset: u64, mean: f32, deviation: f32): void {
  const means = f32x4.splat(mean)
  const deviations = f32x4.splat(deviation)
  for (let i: usize = 0; i < count; ) {
    const at = offset + <u64>i
    const values = f32x4.add(f32x4.mul(normals(block(at >> 2, stream, seed)), deviations), means)
    i += storeLanes(to + (i << 2), values, <usize>(at & 3), count - i)
  }
}
