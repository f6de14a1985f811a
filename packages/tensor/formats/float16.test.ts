import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from './float16.js'

const ALL = Uint16Array.from({ length: 65_536 }, (_, index) => index)

/** The value of a half by its definition. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

describe('f16', () => {
  it('every half widens to its value, and narrows to itself again', () => {
    const wide = new Float32Array(65_536)
    float16ToFloat32(ALL, wide)
    for (const bits of ALL) if (!Object.is(wide[bits], half(bits))) expect([bits, wide[bits]]).toEqual([bits, half(bits)])
    const back = new Uint16Array(65_536)
    expect(float32ToFloat16(wide, back)).toBe(0)
    // A signalling NaN becomes a quiet one.
    for (const bits of ALL) if (back[bits] !== bits && !Number.isNaN(half(bits))) expect(back[bits]).toBe(bits)
  })

  it('rounds to the nearest half, ties to the even one', () => {
    const between = fc.record({ bits: fc.nat(0x7bfe), share: fc.constantFrom(0, 0.25, 0.5, 0.75), sign: fc.constantFrom(1, -1) })
    fc.assert(
      fc.property(between, ({ bits, share, sign }) => {
        const low = half(bits)
        const high = half(bits + 1)
        const out = new Uint16Array(1)
        float32ToFloat16(Float32Array.of(sign * (low + (high - low) * share)), out)
        const expected = share < 0.5 || (share === 0.5 && bits % 2 === 0) ? bits : bits + 1
        expect(out[0]).toBe((sign < 0 ? 0x8000 : 0) | expected)
      }),
      { numRuns: 2000 },
    )
  })

  it('counts finite values that become infinite, and only those', () => {
    const out = new Uint16Array(6)
    const values = Float32Array.of(65_504, 65_519.996, 65_520, -1e30, Number.POSITIVE_INFINITY, Number.NaN)
    expect(float32ToFloat16(values, out)).toBe(2)
    expect([...out]).toEqual([0x7bff, 0x7bff, 0x7c00, 0xfc00, 0x7c00, 0x7e00])
  })
})

describe('bf16', () => {
  it('every bfloat16 survives a round trip', () => {
    const wide = new Float32Array(65_536)
    bfloat16ToFloat32(ALL, wide)
    const back = new Uint16Array(65_536)
    expect(float32ToBfloat16(wide, back)).toBe(0)
    for (const bits of ALL) if (back[bits] !== bits && !Number.isNaN(wide[bits])) expect(back[bits]).toBe(bits)
  })

  it('rounds to nearest, ties to even, keeps NaN, counts overflow', () => {
    const bits = Uint32Array.of(0x3f808000, 0x3f818000, 0x3f808001, 0x7f800001, 0x7f7fffff)
    const out = new Uint16Array(5)
    expect(float32ToBfloat16(new Float32Array(bits.buffer), out)).toBe(1)
    expect([...out]).toEqual([0x3f80, 0x3f82, 0x3f81, 0x7fc0, 0x7f80])
  })
})
