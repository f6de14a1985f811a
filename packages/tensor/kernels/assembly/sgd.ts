/** Gradient descent: w = w − lr·(scale·g + l2·w), f32, `count` elements. */
export function sgd(w: usize, g: usize, count: usize, scale: f32, l2: f32, lr: f32): void {
  const scales = f32x4.splat(scale)
  const l2s = f32x4.splat(l2)
  const lrs = f32x4.splat(lr)
  const end: usize = count << 2
  const vectors: usize = end & ~15
  let o: usize = 0
  for (; o < vectors; o += 16) {
    const weight = v128.load(w + o)
    const gradient = f32x4.add(f32x4.mul(v128.load(g + o), scales), f32x4.mul(weight, l2s))
    v128.store(w + o, f32x4.sub(weight, f32x4.mul(gradient, lrs)))
  }
  for (; o < end; o += 4) {
    const weight = load<f32>(w + o)
    store<f32>(w + o, weight - (load<f32>(g + o) * scale + weight * l2) * lr)
  }
}

/** `momentum` without decay of weights and without Nesterov's term, half the arithmetic: b = keep·b + take·g;  w = w − lr·b. */
function heavyBall(w: usize, g: usize, b: usize, count: usize, keep: f32, take: f32, lr: f32): void {
  const keeps = f32x4.splat(keep)
  const takes = f32x4.splat(take)
  const lrs = f32x4.splat(lr)
  const end: usize = count << 2
  const vectors: usize = end & ~15
  let o: usize = 0
  for (; o < vectors; o += 16) {
    const buffer = f32x4.add(f32x4.mul(v128.load(b + o), keeps), f32x4.mul(v128.load(g + o), takes))
    v128.store(b + o, buffer)
    v128.store(w + o, f32x4.sub(v128.load(w + o), f32x4.mul(buffer, lrs)))
  }
  for (; o < end; o += 4) {
    const buffer = load<f32>(b + o) * keep + load<f32>(g + o) * take
    store<f32>(b + o, buffer)
    store<f32>(w + o, load<f32>(w + o) - buffer * lr)
  }
}

/**
 * The same with momentum (Sutskever, Martens, Dahl and Hinton 2013, in PyTorch's form):
 *
 *   g = scale·g + l2·w;  b = keep·b + take·g;  w = w − lr·(direct·g + through·b)
 *
 * Plain momentum has direct = 0 and through = 1, Nesterov's direct = 1 and through = momentum. PyTorch's first step has
 * keep = 0 and take = 1.
 */
export function momentum(
  w: usize,
  g: usize,
  b: usize,
  count: usize,
  scale: f32,
  l2: f32,
  keep: f32,
  take: f32,
  direct: f32,
  through: f32,
  lr: f32,
): void {
  if (l2 === 0 && direct === 0) {
    heavyBall(w, g, b, count, keep, take * scale, lr * through)
    return
  }
  const scales = f32x4.splat(scale)
  const l2s = f32x4.splat(l2)
  const keeps = f32x4.splat(keep)
  const takes = f32x4.splat(take)
  const directs = f32x4.splat(direct)
  const throughs = f32x4.splat(through)
  const lrs = f32x4.splat(lr)
  const end: usize = count << 2
  const vectors: usize = end & ~15
  let o: usize = 0
  for (; o < vectors; o += 16) {
    const weight = v128.load(w + o)
    const gradient = f32x4.add(f32x4.mul(v128.load(g + o), scales), f32x4.mul(weight, l2s))
    const buffer = f32x4.add(f32x4.mul(v128.load(b + o), keeps), f32x4.mul(gradient, takes))
    v128.store(b + o, buffer)
    const change = f32x4.add(f32x4.mul(gradient, directs), f32x4.mul(buffer, throughs))
    v128.store(w + o, f32x4.sub(weight, f32x4.mul(change, lrs)))
  }
  for (; o < end; o += 4) {
    const weight = load<f32>(w + o)
    const gradient = load<f32>(g + o) * scale + weight * l2
    const buffer = load<f32>(b + o) * keep + gradient * take
    store<f32>(b + o, buffer)
    store<f32>(w + o, weight - (gradient * direct + buffer * through) * lr)
  }
}
