/** How fast memory is read: what limits decoding, which reads every weight for every token. */
import { compile, trace } from '@enigma/tensor'

/** Bytes per second: the best of a few products of one vector with matrices that no cache holds. */
export async function readBandwidth({ threads, tiny }) {
  const [size, count, runs] = tiny ? [256, 2, 2] : [2048, 16, 30]
  const program = trace({ x: { shape: [1, size] } }, ({ x }, builder) => {
    const products = Array.from({ length: count }, (_, index) => {
      const weights = new Float32Array(size * size).fill(1e-3 * (index + 1))
      return [`y${index}`, x.matmul(builder.constant(weights, [size, size]))]
    })
    return Object.fromEntries(products)
  })
  const executable = await compile(program, { threads })
  const vector = () => ({ dtype: 'f32', shape: [1, size], data: new Float32Array(size) })
  const bound = executable.bind({ x: vector() }, Object.fromEntries(program.outputs.map(({ name }) => [name, vector()])))
  let best = Number.POSITIVE_INFINITY
  for (let run = 0; run < runs; run++) {
    const start = performance.now()
    bound.runSync()
    best = Math.min(best, performance.now() - start)
  }
  bound.release()
  executable.release()
  return (count * size * size * 4 * 1000) / best
}
