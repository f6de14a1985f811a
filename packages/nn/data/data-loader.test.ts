import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { tensor } from '@enigma/tensor'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Batch } from '../compile-step.js'
import { DataLoader, readIdx, subset, tensorDataset } from './index.js'

const numbers = tensorDataset({
  x: tensor([0, 1, 10, 11, 20, 21, 30, 31, 40, 41], [5, 2]),
  y: tensor([0, 1, 2, 3, 4], [5], 'i64'),
})
const labels = async (batches: AsyncIterable<Batch>) => {
  const result: number[][] = []
  for await (const { y } of batches) result.push(Array.from(y!.data as BigInt64Array, Number))
  return result
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'enigma-data-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('a data loader', () => {
  it('gives rows of all tensors together, in order, the last batch smaller', async () => {
    const loader = new DataLoader(numbers, { batchSize: 2 })
    expect(loader.length).toBe(3)
    const batches: Batch[] = []
    for await (const batch of loader) batches.push(batch)
    expect(batches.map(({ x }) => [x!.shape, [...(x!.data as Float32Array)]])).toEqual([
      [
        [2, 2],
        [0, 1, 10, 11],
      ],
      [
        [2, 2],
        [20, 21, 30, 31],
      ],
      [
        [1, 2],
        [40, 41],
      ],
    ])
  })

  it('leaves the last batch out if asked to', async () => {
    const loader = new DataLoader(numbers, { batchSize: 2, dropLast: true })
    expect(loader.length).toBe(2)
    expect(await labels(loader)).toEqual([
      [0, 1],
      [2, 3],
    ])
  })

  it('shuffles: each example once, another order in each epoch, the same for the same seed', async () => {
    const make = () => new DataLoader(numbers, { shuffle: true, seed: 7 })
    const loader = make()
    const [first, second] = [await labels(loader), await labels(loader)]
    expect(first.flat().sort()).toEqual([0, 1, 2, 3, 4])
    expect(second.flat().sort()).toEqual([0, 1, 2, 3, 4])
    expect(second).not.toEqual(first)
    expect(await labels(make().epoch(1))).toEqual(second)
  })

  it('goes on within an epoch where a run was interrupted', async () => {
    const loader = new DataLoader(numbers, { shuffle: true, batchSize: 2 })
    expect(await labels(loader.epoch(3, 1))).toEqual((await labels(loader.epoch(3))).slice(1))
  })

  it('maps batches here or in threads to the same result', async () => {
    const file = join(folder, 'scale.mjs')
    await writeFile(
      file,
      `export default ({ x, y }, { epoch, index, seed }) => ({ y, x: { ...x, data: x.data.map((v) => v + (seed % 7) + epoch + index) } })`,
    )
    const all = async (workers: number) => {
      const loader = new DataLoader(numbers, { batchSize: 2, map: pathToFileURL(file), workers })
      const result: number[][] = []
      for await (const { x } of loader) result.push([...(x!.data as Float32Array)])
      await loader.close()
      return result
    }
    const here = await all(0)
    expect(await all(2)).toEqual(here)
    expect(here[0]![1]! - here[0]![0]!).toBe(1)
  })

  it('says which batch a map failed on, in a thread too, and goes on with the next', async () => {
    const file = join(folder, 'fail.mjs')
    await writeFile(file, `export default (batch, { index }) => { if (index === 1) throw new Error('odd'); return batch }`)
    const loader = new DataLoader(numbers, { batchSize: 2, map: pathToFileURL(file), workers: 1 })
    await expect(labels(loader)).rejects.toThrow(/map failed on batch 1 of epoch 0: odd/)
    expect(await labels(loader.epoch(0, 2))).toEqual([[4]])
    await loader.close()
  })

  it('is closed, and says so, also while its threads still answer', async () => {
    const failing = join(folder, 'fail-early.mjs')
    await writeFile(failing, `export default (batch, { index }) => { if (index === 0) throw new Error('odd'); return batch }`)
    const script = join(folder, 'close.mjs')
    const index = new URL('./index.js', import.meta.url).href
    await writeFile(
      script,
      `import { DataLoader } from '${index}'
      const dataset = { length: 20, batch: () => ({}) }
      const loader = new DataLoader(dataset, { workers: 2, prefetch: 8, map: new URL('./fail-early.mjs', import.meta.url) })
      try { for await (const batch of loader); } catch {}
      await loader.close()
      console.log('closed')`,
    )
    const { stdout } = await promisify(execFile)(process.execPath, [script])
    expect(stdout).toBe('closed\n')
  })

  it('refuses what cannot be', () => {
    expect(() => new DataLoader(numbers, { batchSize: 0 })).toThrow(/batchSize must be a whole number of at least 1, got 0/)
    expect(() => new DataLoader(numbers, { workers: 2, map: (batch) => batch })).toThrow(/Workers need `map` as the URL/)
    expect(() => tensorDataset({ x: tensor([1, 2], [2]), y: tensor([1], [1]) })).toThrow(/'y' \[1\] has not 2 examples/)
  })

  it('reads part of a data set', async () => {
    expect(await labels(new DataLoader(subset(numbers, 3)))).toEqual([[3], [4]])
  })
})

describe('an IDX file', () => {
  const header = (type: number, ...sizes: number[]) => {
    const bytes = Buffer.alloc(4 + 4 * sizes.length)
    bytes[2] = type
    bytes[3] = sizes.length
    for (const [axis, size] of sizes.entries()) bytes.writeUInt32BE(size, 4 + 4 * axis)
    return bytes
  }
  const written = async (name: string, content: Buffer) => {
    const file = join(folder, name)
    await writeFile(file, content)
    return file
  }

  it('is read, packed or not', async () => {
    const content = Buffer.concat([header(8, 2, 3), Buffer.from([1, 2, 3, 4, 5, 255])])
    const plain = await readIdx(await written('a.idx', content))
    expect(plain).toEqual({ dtype: 'u8', shape: [2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 255) })
    expect(await readIdx(await written('a.idx.gz', gzipSync(content)))).toEqual(plain)
    const floats = Buffer.alloc(4)
    floats.writeFloatBE(1.5)
    expect((await readIdx(await written('f.idx', Buffer.concat([header(13, 1), floats])))).data).toEqual(Float32Array.of(1.5))
  })

  it('that is cut, damaged or something else is refused by name', async () => {
    const cut = await written('cut.idx', Buffer.concat([header(8, 2, 3), Buffer.from([1])]))
    await expect(readIdx(cut)).rejects.toThrow(/cut\.idx is no IDX file: a tensor \[2, 3\] takes 6 bytes, it holds 1/)
    await expect(readIdx(await written('text.idx', Buffer.from('hello')))).rejects.toThrow(/its header is unknown/)
    await expect(readIdx(await written('bad.gz', Buffer.from([0x1f, 0x8b, 1, 2])))).rejects.toThrow(/cannot be unpacked/)
  })
})
