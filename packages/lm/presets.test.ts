import { describe, expect, it } from 'vitest'
import { memoryEstimate, parameterCount } from './memory.js'
import { adapterParameters, loraConfig } from './model/lora.js'
import { parameterSpecs } from './parameters.js'
import { PRESETS, preset, presetConfig, presetOf, presetTable } from './presets.js'
import { checkMemory } from './training/check-memory.js'

/** name → exact parameters at vocabularies 8000 and 32000. */
const COUNTS: Record<string, readonly [number, number, number]> = {
  nano: [384, 1_811_584, 4_883_584],
  micro: [512, 3_159_744, 7_767_744],
  tiny: [704, 6_475_008, 12_619_008],
  mini: [1024, 12_809_088, 22_025_088],
  small: [1408, 27_697_664, 39_985_664],
  medium: [2048, 81_660_672, 100_092_672],
  base: [2432, 124_405_120, 145_909_120],
  large: [2752, 185_435_136, 210_011_136],
  xl: [4096, 606_905_856, 643_769_856],
  xxl: [5504, 1_434_191_872, 1_483_343_872],
  huge: [6848, 2_753_538_560, 2_814_978_560],
  giant: [10_944, 5_678_567_424, 5_776_871_424],
  colossal: [10_944, 8_501_465_088, 8_599_769_088],
  titan: [16_384, 19_075_110_912, 19_222_566_912],
  omega: [21_888, 45_230_858_240, 45_427_466_240],
}

describe('presets', () => {
  it('are the fifteen from nano to omega', () => {
    expect(PRESETS.map((entry) => entry.name)).toEqual(Object.keys(COUNTS))
  })

  it.each(Object.entries(COUNTS))('%s has its feed-forward width and exact parameter counts', (name, [hidden, at8k, at32k]) => {
    expect(preset(name).hidden).toBe(hidden)
    expect(parameterCount(presetConfig(name, 8000))).toBe(at8k)
    expect(parameterCount(presetConfig(name, 32_000))).toBe(at32k)
  })

  it.each(PRESETS.map((entry) => entry.name))('the weights listed for %s add up to its parameter count, tied or not', (name) => {
    for (const tieEmbeddings of [true, false]) {
      const config = presetConfig(name, 8000, { tieEmbeddings })
      const listed = parameterSpecs(config).reduce((sum, spec) => sum + spec.shape.reduce((a, b) => a * b, 1), 0)
      expect(listed).toBe(parameterCount(config))
    }
  })

  it('an unknown name is refused with the nearest one and all that exist', () => {
    const names = Object.keys(COUNTS).join(', ')
    expect(() => preset('smal')).toThrow(`Unknown preset: smal. Did you mean 'small'? Available: ${names}`)
    expect(() => preset('enormous')).toThrow(`Unknown preset: enormous. Available: ${names}`)
    expect(() => preset('toString')).toThrow('Unknown preset: toString.')
  })

  it('a configuration finds its preset again, whatever its vocabulary and context', () => {
    for (const { name } of PRESETS) expect(presetOf(presetConfig(name, 4096, { context: 128 }))).toBe(name)
    expect(presetOf(presetConfig('tiny', 4096, { layers: 7 }))).toBeNull()
  })
})

describe('memory estimate', () => {
  it('counts weights, gradients and two moments in float32', () => {
    const { training, inference, parameters } = memoryEstimate(presetConfig('small', 8000))
    expect(inference.weights).toBe(4 * parameters)
    expect(training.weights + training.gradients + training.moments).toBe(16 * parameters)
  })

  it('counts a KV cache of 2 · layers · tokens · kvHeads · headDim floats', () => {
    const { inference } = memoryEstimate(presetConfig('small', 8000), { batch: 3, sequence: 100 })
    expect(inference.kvCache).toBe(2 * 4 * 8 * 300 * 4 * 64)
  })

  it('is within a quarter of the 1.8 GB measured when training 27 M parameters on 4 × 256 tokens', () => {
    const { total } = memoryEstimate(presetConfig('small', 8000), { batch: 4, sequence: 256 }).training
    expect(Math.abs(total / 1.8e9 - 1)).toBeLessThan(0.25)
  })

  it('is within a quarter of the 0.98 GB measured when blocks are computed again', () => {
    const { total } = memoryEstimate(presetConfig('small', 8000), { batch: 4, sequence: 256, recompute: true }).training
    expect(Math.abs(total / 0.98e9 - 1)).toBeLessThan(0.25)
  })

  it('names recomputation where that is what makes a model fit', () => {
    const [config, sizes] = [presetConfig('small', 8000), { batch: 16, sequence: 256 }]
    const { total } = memoryEstimate(config, { ...sizes, recompute: true }).training
    expect(() => checkMemory(config, sizes, total)).toThrow(/It fits with --recompute, for one more forward pass a step\.$/)
    expect(() => checkMemory(config, { ...sizes, recompute: true }, total)).not.toThrow()
    expect(() => checkMemory(config, sizes, total - 1)).toThrow(/The largest size that fits is/)
  })

  it('counts only adapters where they alone are trained', () => {
    const [config, sizes] = [presetConfig('small', 8000), { batch: 1, sequence: 64 }]
    const whole = memoryEstimate(config, sizes)
    const adapters = adapterParameters(config, loraConfig({ rank: 4, targets: ['q_proj', 'down_proj'] }))
    expect(adapters).toBe(8 * 4 * (512 + 512 + 512 + 1408))
    const { training } = memoryEstimate(config, { ...sizes, adapters })
    expect(training.total).toBe(whole.training.total - 12 * whole.parameters + 16 * adapters)
    expect(() => checkMemory(config, { ...sizes, adapters }, training.total)).not.toThrow()
    expect(() => checkMemory(config, { ...sizes, recompute: true, adapters }, 1e8)).toThrow(
      /Training \d+,\d+ parameters beside \d+,\d+,\d+ that stay .* Lower --batch or --sequence/,
    )
  })

  it('the table says what fits: with 8 GB base trains, xl only answers, omega does neither', () => {
    const rows = new Map(presetTable({ memoryBytes: 8e9 }).map((row) => [row.name, row]))
    expect(rows.size).toBe(15)
    expect(rows.get('nano')?.parameters).toBe(1_811_584)
    expect(rows.get('base')?.fits).toEqual({ inference: true, training: true })
    expect(rows.get('xl')?.fits).toEqual({ inference: true, training: false })
    expect(rows.get('omega')?.fits).toEqual({ inference: false, training: false })
  })
})
