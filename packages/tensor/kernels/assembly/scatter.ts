/** Position of the first of `count` i64 ids outside [0, rows), or -1. */
export function firstBadId(ids: usize, count: usize, rows: i64): i32 {
  for (let i: usize = 0; i < count; i++) if (<u64>load<i64>(ids + (i << 3)) >= <u64>rows) return <i32>i
  return -1
}

/**
 * target[ids[i], from..to) += rows[i, from..to) for i = 0, 1, …: columns of f32 matrices of `width` columns. Each element is
 * summed in the order of i whatever the split into column ranges.
 */
export function scatterAddRows(target: usize, ids: usize, rows: usize, count: usize, width: usize, from: usize, to: usize): void {
  const bytes: usize = (to - from) << 2
  const vectors: usize = bytes & ~15
  for (let i: usize = 0; i < count; i++) {
    const y = target + ((<usize>load<i64>(ids + (i << 3)) * width + from) << 2)
    const x = rows + ((i * width + from) << 2)
    let o: usize = 0
    for (; o < vectors; o += 16) v128.store(y + o, f32x4.add(v128.load(y + o), v128.load(x + o)))
    for (; o < bytes; o += 4) store<f32>(y + o, load<f32>(y + o) + load<f32>(x + o))
  }
}
