/**
 * One step of Lion (Chen et al. 2023, "Symbolic discovery of optimization algorithms"), f32, `count` elements:
 *
 *   g = scale·g;  c = m + (1 − β1)(g − m);  w = decay·w − lr·sign(c);  m = m + (1 − β2)(g − m)
 *
 * with decay = 1 − lr·weightDecay and sign(0) = 0.
 */
export function lion(
  w: usize,
  g: usize,
  m: usize,
  count: usize,
  scale: f32,
  decay: f32,
  oneMinusBeta1: f32,
  oneMinusBeta2: f32,
  lr: f32,
): void {
  const scales = f32x4.splat(scale)
  const decays = f32x4.splat(decay)
  const news1 = f32x4.splat(oneMinusBeta1)
  const news2 = f32x4.splat(oneMinusBeta2)
  const lrs = f32x4.splat(lr)
  const zeros = f32x4.splat(0)
  const signs = i32x4.splat(0x80000000)
  const end: usize = count << 2
  const vectors: usize = end & ~15
  let o: usize = 0
  for (; o < vectors; o += 16) {
    const oldM = v128.load(m + o)
    const difference = f32x4.sub(f32x4.mul(v128.load(g + o), scales), oldM)
    const direction = f32x4.add(oldM, f32x4.mul(difference, news1))
    // lr with the direction's sign, 0 where the direction is 0.
    const change = v128.and(v128.or(lrs, v128.and(direction, signs)), f32x4.ne(direction, zeros))
    v128.store(w + o, f32x4.sub(f32x4.mul(v128.load(w + o), decays), change))
    v128.store(m + o, f32x4.add(oldM, f32x4.mul(difference, news2)))
  }
  for (; o < end; o += 4) {
    const oldM = load<f32>(m + o)
    const difference = load<f32>(g + o) * scale - oldM
    const direction = oldM + difference * oneMinusBeta1
    const change: f32 = direction > 0 ? lr : direction < 0 ? -lr : 0
    store<f32>(w + o, load<f32>(w + o) * decay - change)
    store<f32>(m + o, oldM + difference * oneMinusBeta2)
  }
}
