import { describe, expect, it } from 'vitest'
import { loadKernelModule } from './module.js'
import { webAssembly } from './webassembly.js'

type Convert = (to: number, from: number, count: number) => void

describe('half precision', () => {
  const memory = new webAssembly.Memory({ initial: 10, maximum: 10, shared: true })
  const { floatToHalf, halfToFloat } = new webAssembly.Instance(loadKernelModule(), { env: { memory } }).exports as Record<
    string,
    Convert
  >
  const count = 65536
  const halves = new Uint16Array(memory.buffer, 0, count)
  const floats = new Float32Array(memory.buffer, count * 2, count)
  const numberOf = (half: number) => {
    const [sign, exponent, mantissa] = [half >> 15 ? -1 : 1, (half >> 10) & 31, half & 1023]
    if (exponent === 31) return mantissa ? Number.NaN : sign * Infinity
    return sign * (exponent ? (1 + mantissa / 1024) * 2 ** (exponent - 15) : mantissa * 2 ** -24)
  }

  it('means what IEEE 754 says, for all 65,536 halves, and converts back to the same bits', () => {
    for (let i = 0; i < count; i++) halves[i] = i
    halfToFloat!(count * 2, 0, count)
    const wrong = Array.from(floats).findIndex((value, half) => !Object.is(value, numberOf(half)))
    expect(wrong).toBe(-1)
    floatToHalf!(0, count * 2, count)
    const changed = Array.from(halves).findIndex((half, i) => half !== i && !Number.isNaN(numberOf(i)))
    expect(changed).toBe(-1)
    expect(halves[0x7d01]! & 0x7fff).toBe(0x7e00)
  })

  it('rounds to nearest even between any two neighbours', () => {
    const finite = 0x7bff
    const midpoint = (half: number) => (numberOf(half) + numberOf(half + 1)) / 2
    for (let half = 0; half < finite; half++) floats[half] = midpoint(half)
    floatToHalf!(0, count * 2, finite)
    expect(Array.from(halves.subarray(0, finite)).findIndex((got, half) => got !== half + (half & 1))).toBe(-1)
    for (let half = 0; half < finite; half++) floats[half] = -midpoint(half) * (1 + 2 ** -23)
    floatToHalf!(0, count * 2, finite)
    expect(Array.from(halves.subarray(0, finite)).findIndex((got, half) => got !== ((half + 1) | 0x8000))).toBe(-1)
  })

  it('converts tails and touches nothing behind them', () => {
    for (const n of [0, 1, 2, 3, 5, 6, 7]) {
      floats.fill(1)
      halves.fill(0xffff)
      floatToHalf!(0, count * 2, n)
      expect([...halves.subarray(0, 8)]).toEqual(Array.from({ length: 8 }, (_, i) => (i < n ? 0x3c00 : 0xffff)))
      halves.fill(0xc000)
      halfToFloat!(count * 2, 0, n)
      expect([...floats.subarray(0, 8)]).toEqual(Array.from({ length: 8 }, (_, i) => (i < n ? -2 : 1)))
    }
  })
})
