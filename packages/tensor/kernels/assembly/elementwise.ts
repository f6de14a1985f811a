/** y = y + a·x */
export function axpy(y: usize, x: usize, count: usize, a: f32): void {
  const factors = f32x4.splat(a)
  const end: usize = count << 2
  const vectors: usize = end & ~15
  let o: usize = 0
  for (; o < vectors; o += 16) v128.store(y + o, f32x4.add(v128.load(y + o), f32x4.mul(v128.load(x + o), factors)))
  for (; o < end; o += 4) store<f32>(y + o, load<f32>(y + o) + load<f32>(x + o) * a)
}

/** y = factor·y */
export function scale(y: usize, count: usize, factor: f32): void {
  const factors = f32x4.splat(factor)
  const end: usize = count << 2
  const vectors: usize = end & ~15
  let o: usize = 0
  for (; o < vectors; o += 16) v128.store(y + o, f32x4.mul(v128.load(y + o), factors))
  for (; o < end; o += 4) store<f32>(y + o, load<f32>(y + o) * factor)
}

export function fill(y: usize, count: usize, value: f32): void {
  const values = f32x4.splat(value)
  const end: usize = count << 2
  const vectors: usize = end & ~15
  let o: usize = 0
  for (; o < vectors; o += 16) v128.store(y + o, values)
  for (; o < end; o += 4) store<f32>(y + o, value)
}

/** y = min(max(y, −limit), limit); a NaN stays one. */
export function clamp(y: usize, count: usize, limit: f32): void {
  const highs = f32x4.splat(limit)
  const lows = f32x4.splat(-limit)
  const end: usize = count << 2
  const vectors: usize = end & ~15
  let o: usize = 0
  for (; o < vectors; o += 16) v128.store(y + o, f32x4.min(f32x4.max(v128.load(y + o), lows), highs))
  for (; o < end; o += 4) store<f32>(y + o, min<f32>(max<f32>(load<f32>(y + o), -limit), limit))
}

/** y = x */
export function copy(y: usize, x: usize, count: usize): void {
  memory.copy(y, x, count << 2)
}
