import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeFours, encodeQ4 } from '../formats/gguf-blocks.js'
import { hashUniform } from '../golden/generate.js'
import { type BlockFormat, dequantize, quantize } from './quantized-matrix.js'

const random = (seed: number, length: number) => Float32Array.from({ length }, (_, i) => hashUniform(seed, i) - 0.5)
const squaredError = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0)

const format = fc.record({ bits: fc.constantFrom(4, 8), block: fc.constantFrom(16, 32, 64) }) as fc.Arbitrary<BlockFormat>

describe('a quantized matrix', () => {
  it('has the codes and scales of the formula, written down for one block', () => {
    // The farthest number, -8, gets the lowest code; so the first guess of the scale is 1, and these are whole numbers.
    const block = [-8, 7, 0, 1, -1, 3, -4, 2, 5, -6, 6, -2, -3, 4, -5, -7]
    const { codes, scales } = quantize(Float32Array.from(block), [1, 16], { bits: 4, block: 16 })
    expect([...scales]).toEqual([1])
    expect([...codes].flatMap((pair) => [pair & 15, pair >> 4])).toEqual(block.map((value) => value + 8))
  })

  it('takes the scale with the least squared error for its codes', () => {
    // Codes -8, 5 and 0 under the guess 1/8: products 8 + 5 · 0.6, squares 64 + 25.
    const data = new Float32Array(32)
    data.set([-1, 0.6])
    const { codes, scales } = quantize(data, [1, 32], { bits: 4, block: 32 })
    expect([codes[0]! & 15, codes[0]! >> 4, codes[1]]).toEqual([0, 13, 0x88])
    expect(scales[0]).toBeCloseTo((8 + 5 * 0.6) / 89, 4)
  })

  it('of numbers that have codes is exact', () => {
    fc.assert(
      fc.property(
        format,
        fc.integer({ min: -6, max: 4 }),
        fc.infiniteStream(fc.integer()),
        ({ bits, block }, exponent, stream) => {
          const half = 2 ** (bits - 1)
          const levels = Array.from({ length: 3 * block }, () => {
            const level = stream.next().value % half
            return level === 0 ? 0 : level
          })
          for (let at = 0; at < levels.length; at += block) levels[at] = -half
          const data = Float32Array.from(levels, (level) => level * 2 ** exponent)
          expect(dequantize(quantize(data, [3, block], { bits, block }))).toEqual(data)
        },
      ),
      { numRuns: 50 },
    )
  })

  it('is never farther off than half a step, a whole one at the end of the range, within the slack of the fitted scale', () => {
    fc.assert(
      fc.property(format, fc.integer(), fc.integer({ min: 1, max: 80 }), ({ bits, block }, seed, columns) => {
        const data = random(seed, 3 * columns)
        const matrix = quantize(data, [3, columns], { bits, block })
        const restored = dequantize(matrix)
        for (const [at, value] of data.entries()) {
          const row = Math.floor(at / columns)
          const from = row * columns + block * Math.floor((at % columns) / block)
          const largest = data
            .subarray(from, Math.min(from + block, (row + 1) * columns))
            .reduce((a, b) => Math.max(a, Math.abs(b)), 0)
          expect(Math.abs(value - restored[at]!)).toBeLessThanOrEqual((1.6 * largest) / 2 ** (bits - 1))
        }
      }),
      { numRuns: 100 },
    )
  })

  it("is nearer than ggml's Q4_0, which has the same codes and does not fit its scale", () => {
    const data = random(1, 64 * 32)
    const blocks = new Uint8Array(64 * 18)
    encodeQ4(data, blocks)
    const theirs = new Float32Array(data.length)
    decodeFours(2, false)(blocks, theirs)
    const ours = dequantize(quantize(data, [64, 32], { bits: 4, block: 32 }))
    expect(squaredError(ours, data)).toBeLessThan(0.99 * squaredError(theirs, data))
  })

  it.each([
    [8, 0.006],
    [4, 0.1],
  ] as const)('of %i bits is off by less than %f of the numbers’ size', (bits, bound) => {
    const data = random(2, 64 * 128)
    const off = Math.sqrt(
      squaredError(dequantize(quantize(data, [64, 128], { bits, block: 32 })), data) /
        squaredError(data, new Float32Array(data.length)),
    )
    expect(off).toBeLessThan(bound)
    expect(off).toBeGreaterThan(bound / 4)
  })

  it('refuses numbers that half precision cannot scale, and what is no number', () => {
    for (const broken of [1e30, Number.POSITIVE_INFINITY, Number.NaN])
      expect(() => quantize(Float32Array.of(1, broken), [1, 2], { bits: 8, block: 32 }, "'x.weight'"), `${broken}`).toThrow(
        /'x\.weight' has numbers too large/,
      )
  })
})
