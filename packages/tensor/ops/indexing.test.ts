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

it('rows are added to a table whose height is known only when the program runs', async () => {
  const inputs = { table: { shape: ['height', 2, 1] }, ids: { shape: [3], dtype: 'i64' }, rows: { shape: [3, 2, 1] } } as const
  const program = trace(inputs, ({ table, ids, rows }) => ({ y: table.scatterAddRows(ids, rows) }))
  const executable = await compile(program, { threads: 1 })
  const feeds = { table: tensor([1, 2, 3, 4], [2, 2, 1]), ids: tensor([1, 0, 1], [3], 'i64') }
  const { y } = await executable.run({ ...feeds, rows: tensor([10, 20, 30, 40, 50, 60], [3, 2, 1]) })
  executable.release()
  expect([y!.shape, [...y!.data]]).toEqual([
    [2, 2, 1],
    [31, 42, 63, 84],
  ])
})
