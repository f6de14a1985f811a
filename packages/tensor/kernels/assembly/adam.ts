/**
 * One step of Adam (Kingma and Ba 2015) in PyTorch's order of operations, f32, `count` elements:
 *
 *   g = scale·g + l2·w;  w = decay·w;  m = m + (1 − β1)(g − m);  v = β2·v + (1 − β2)g²;  w = w − step·m / (√v·root + ε)
 *
 * with step = lr / (1 − β1^t) and root = 1 / √(1 − β2^t). AMSGrad (Reddi, Kale and Kumar 2018) has top = max(top, v) in the place of v
 * in the last equation. The type parameters are flags, `bool` for yes: what a kernel does without costs it nothing.
 */
function update<Coupled, Top>(
  w: usize,
  g: usize,
  m: usize,
  v: usize,
  top: usize,
  count: usize,
  scale: f32,
  l2: f32,
  decay: f32,
  oneMinusBeta1: f32,
  beta2: f32,
  oneMinusBeta2: f32,
  step: f32,
  root: f32,
  eps: f32,
): void {
  const scales = f32x4.splat(scale)
  const l2s = f32x4.splat(l2)
  const decays = f32x4.splat(decay)
  const news1 = f32x4.splat(oneMinusBeta1)
  const olds2 = f32x4.splat(beta2)
  const news2 = f32x4.splat(oneMinusBeta2)
  const steps = f32x4.splat(step)
  const roots = f32x4.splat(root)
  const epss = f32x4.splat(eps)
  const end: usize = count << 2
  const vectors: usize = end & ~15
  let o: usize = 0
  for (; o < vectors; o += 16) {
    const weight = v128.load(w + o)
    let gradient = f32x4.mul(v128.load(g + o), scales)
    if (isBoolean<Coupled>()) gradient = f32x4.add(gradient, f32x4.mul(weight, l2s))
    const oldM = v128.load(m + o)
    const newM = f32x4.add(oldM, f32x4.mul(f32x4.sub(gradient, oldM), news1))
    let newV = f32x4.add(f32x4.mul(v128.load(v + o), olds2), f32x4.mul(f32x4.mul(gradient, gradient), news2))
    v128.store(m + o, newM)
    v128.store(v + o, newV)
    if (isBoolean<Top>()) {
      newV = f32x4.max(v128.load(top + o), newV)
      v128.store(top + o, newV)
    }
    const denominator = f32x4.add(f32x4.mul(f32x4.sqrt(newV), roots), epss)
    const change = f32x4.div(f32x4.mul(newM, steps), denominator)
    v128.store(w + o, f32x4.sub(f32x4.mul(weight, decays), change))
  }
  for (; o < end; o += 4) {
    const weight = load<f32>(w + o)
    let gradient = load<f32>(g + o) * scale
    if (isBoolean<Coupled>()) gradient += weight * l2
    const oldM = load<f32>(m + o)
    const newM = oldM + (gradient - oldM) * oneMinusBeta1
    let newV = load<f32>(v + o) * beta2 + gradient * gradient * oneMinusBeta2
    store<f32>(m + o, newM)
    store<f32>(v + o, newV)
    if (isBoolean<Top>()) {
      newV = max<f32>(load<f32>(top + o), newV)
      store<f32>(top + o, newV)
    }
    store<f32>(w + o, weight * decay - (newM * step) / (sqrt<f32>(newV) * root + eps))
  }
}

/** AdamW (Loshchilov and Hutter 2019): decay = 1 − lr·weightDecay, and nothing is added to the gradient. */
export function adamw(
  w: usize,
  g: usize,
  m: usize,
  v: usize,
  count: usize,
  scale: f32,
  decay: f32,
  oneMinusBeta1: f32,
  beta2: f32,
  oneMinusBeta2: f32,
  step: f32,
  root: f32,
  eps: f32,
): void {
  update<i32, i32>(w, g, m, v, 0, count, scale, 0, decay, oneMinusBeta1, beta2, oneMinusBeta2, step, root, eps)
}

export function adam(
  w: usize,
  g: usize,
  m: usize,
  v: usize,
  count: usize,
  scale: f32,
  l2: f32,
  decay: f32,
  oneMinusBeta1: f32,
  beta2: f32,
  oneMinusBeta2: f32,
  step: f32,
  root: f32,
  eps: f32,
): void {
  update<bool, i32>(w, g, m, v, 0, count, scale, l2, decay, oneMinusBeta1, beta2, oneMinusBeta2, step, root, eps)
}

export function amsgrad(
  w: usize,
  g: usize,
  m: usize,
  v: usize,
  top: usize,
  count: usize,
  scale: f32,
  l2: f32,
  decay: f32,
  oneMinusBeta1: f32,
  beta2: f32,
  oneMinusBeta2: f32,
  step: f32,
  root: f32,
  eps: f32,
): void {
  update<bool, bool>(w, g, m, v, top, count, scale, l2, decay, oneMinusBeta1, beta2, oneMinusBeta2, step, root, eps)
}
