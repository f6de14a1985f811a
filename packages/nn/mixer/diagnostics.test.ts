import { tensor } from '@enigma/tensor'
import { describe, expect, it } from 'vitest'
import { init, nn } from '../index.js'
import { coherenceDiagnostics } from './diagnostics.js'
import { coherenceProfiles, smoothingOrder } from './profiles.js'

const measure = (weights: readonly number[], parts: readonly number[], curvature = -1) =>
  coherenceDiagnostics({ weights, parts, curvature, order: 0.5 })

describe('the diagnostics of coherence', () => {
  it('of equal channels: all of them count', () => {
    const even = measure([2, 2, 2, 2], [1, 1, 1, 1])
    expect(even).toMatchObject({
      normalized: [0.25, 0.25, 0.25, 0.25],
      mean: 2,
      energyRatio: 0.5,
      zBias: 0,
      label: 'symmetric_pulse',
    })
    expect(even.entropy).toBeCloseTo(Math.log(4), 12)
    expect(even.effectiveChannels).toBeCloseTo(4, 12)
    expect(even.concentration).toBeCloseTo(0, 12)
  })

  it('of one channel with everything: it alone counts', () => {
    const one = measure([1, 0, 0], [3, 0, 0], -4)
    expect(one).toMatchObject({
      entropy: 0,
      effectiveChannels: 1,
      dominantChannel: 0,
      energyRatio: 1,
      label: 'cascade_imbalance',
    })
    expect(one.concentration).toBeCloseTo(1, 12)
    expect(one.zBias).toBeCloseTo(2, 12) // (1 - 0) · √4
  })

  it('of known numbers', () => {
    const { entropy, concentration, zBias, energyRatio, label } = measure([1, 2, 1], [3, 4, 12])
    expect(entropy).toBeCloseTo(1.5 * Math.log(2), 12)
    expect(concentration).toBeCloseTo((0.375 - 1 / 3) / (2 / 3), 12)
    expect([zBias, energyRatio, label]).toEqual([0, 4 / 13, 'diffuse_drift'])
  })

  it('of silence: background', () => {
    expect(measure([0, 0], [0, 0])).toMatchObject({ label: 'background', energyRatio: 0, normalized: [0.5, 0.5] })
  })

  it('smooth the less, the flatter space is, within the bounds of the profile', () => {
    const { membrane, droplet } = coherenceProfiles
    expect(smoothingOrder(membrane, -1)).toBe(0.5)
    expect(smoothingOrder(membrane, -3)).toBe(0.25)
    expect(smoothingOrder(membrane, -0.01)).toBe(0.85)
    expect(smoothingOrder(droplet, -1000)).toBe(0.05)
  })
})

describe('a mixer tells of its sequences', () => {
  const length = 12
  const dim = 32
  const random = new init.Random(2)
  const noise = Array.from({ length: length * dim }, () => random.normal())
  const labelOf = async (prepare: (mixer: nn.CoherenceMixer) => void, x = noise) => {
    const mixer = new nn.CoherenceMixer({ dim, heads: 2, seed: 1, profile: 'even' })
    prepare(mixer)
    const [diagnostics] = await mixer.diagnose(tensor(x, [1, length, dim]))
    return diagnostics!.label
  }

  it('all four labels', async () => {
    expect(await labelOf(() => undefined)).toBe('diffuse_drift')
    expect(
      await labelOf(
        () => undefined,
        noise.map(() => 0),
      ),
    ).toBe('background')
    expect(await labelOf(({ channel_weight }) => channel_weight.data.set([3, -3, -3, -3]))).toBe('cascade_imbalance')
    // Every channel's values are the first one's, so their energies are equal.
    const twin = ({ v_proj: { weight } }: nn.CoherenceMixer) => {
      for (let channel = 1; channel < 4; channel++) weight.data.copyWithin((channel * weight.size) / 4, 0, weight.size / 4)
    }
    expect(await labelOf(twin)).toBe('symmetric_pulse')
  })

  it('one for each sequence of a batch, with weights that sum to 1', async () => {
    const mixer = new nn.CoherenceMixer({ dim, heads: 2, seed: 1 })
    const told = await mixer.diagnose(tensor([...noise, ...noise.map(() => 0)], [2, length, dim]))
    expect(told.map(({ label }) => label)).toEqual([expect.stringMatching(/drift|imbalance/), 'background'])
    for (const { weights, order } of told) {
      expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 6)
      expect(order).toBe(0.5)
    }
  })
})
