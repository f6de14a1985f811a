import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { sampleText } from '../testing/sample-text.js'
import { ngramReference, xzReference } from './references.js'

/** A text whose tokens are its bytes; those at even places count. */
const all = Buffer.from(sampleText(300))
const counted = [...all.keys()].filter((at) => at % 2 === 0)
const text = { tokens: all, counted, bytes: Buffer.from(counted.map((at) => all[at]!)) }

const hasXz = spawnSync('xz', ['--version']).status === 0

it.skipIf(!hasXz)('xz packs the counted bytes and nothing else (needs xz)', async () => {
  const { stdout } = spawnSync('xz', ['-9e'], { input: text.bytes })
  expect(await xzReference(text)).toEqual({ name: 'xz -9e', bitsPerByte: (stdout.length * 8) / text.bytes.length })
})

it('where xz is not installed, or fails, the reference says so', async () => {
  expect(await xzReference(text, 'no-such-program')).toEqual({ name: 'xz -9e', bitsPerByte: null, note: 'xz is not installed' })
  expect(await xzReference(text, process.execPath)).toEqual({
    name: 'xz -9e',
    bitsPerByte: null,
    note: 'xz failed: it ended with 9',
  })
})

it('the 5-gram model knows a text that it has learned, and is lost in one that it has not', async () => {
  const [known, unknown] = [await ngramReference(text, all, 256), await ngramReference(text, new Uint8Array(2000), 256)]
  expect(known).toMatchObject({ name: '5-gram', note: `modified Kneser-Ney, of ${all.length.toLocaleString('en-US')} tokens` })
  expect(known.bitsPerByte).toBeLessThan(1.5)
  expect(unknown.bitsPerByte).toBeGreaterThan(8)
})
