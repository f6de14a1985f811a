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
