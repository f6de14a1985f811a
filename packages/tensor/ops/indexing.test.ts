import { expect, it } from 'vitest'
import { tensor } from '../builder.js'
import { compile } from '../compile.js'
import { trace } from '../trace.js'

it('rows of equal indices are added in order, whatever the number of threads', async () => {
  const [height, width, count] = [7, 48, 9000] as const
  const numbers = (size: number, make: (index: number) => number) => Array.from({ length: size }, (_, index) => make(index))
  const ids = numbers(count, (index) => (index * 31) % 3)
  const rows = numbers(count * width, (index) => Math.fround(Math.imul(index, 2654435761) / 2 ** 31))
  const expected = new Float32Array(height * width)
  for (const [i, id] of ids.entries())
    for (let column = 0; column < width; column++) expected[id * width + column]! += rows[i * width + column]!
  const program = trace({ ids: { shape: [count], dtype: 'i64' }, rows: { shape: [count, width] } }, ({ ids, rows }) => ({
    y: rows.builder.scalar(0).broadcastTo([height, width]).scatterAddRows(ids, rows),
  }))
  const feeds = { ids: tensor(ids, [count], 'i64'), rows: tensor(rows, [count, width]) }
  for (const threads of [1, 2]) {
    const executable = await compile(program, { threads })
    const y = { dtype: 'f32', shape: [height, width], data: new Float32Array(height * width) } as const
    const bound = executable.bind(feeds, { y })
    // Enough runs for threads that share a row to meet in it.
    for (let run = 0; run < 40; run++) {
      await bound.run()
      expect(y.data).toEqual(expected)
    }
    executable.release()
  }
})
