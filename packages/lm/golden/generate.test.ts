import { describe, expect, test } from 'vitest'
import { goldenParameter, goldenParameterSpec, goldenStepTokens, hashUniform } from './generate.js'
import { gradientErrors, loadGoldenModel, loadGoldenSteps, readGoldenJson } from './load.js'

interface WrittenByPython {
  readonly hash: readonly { seed: number; index: number; uniform: number }[]
  readonly parameterCount: number
  readonly parameters: readonly { name: string; shape: readonly number[]; first: readonly number[] }[]
  readonly batch: { readonly firstTokens: readonly number[]; readonly lastToken: number }
}

describe.each(['llama-nano', 'llama-5m'] as const)('the generator against %s, which Python wrote', (name) => {
  const python = readGoldenJson(name) as WrittenByPython
  const golden = loadGoldenModel(name)

  test('the hash gives the same numbers', () => {
    expect(python.hash.map(({ seed, index }) => hashUniform(seed, index))).toEqual(python.hash.map(({ uniform }) => uniform))
  })

  test('the parameters have the same names, shapes and first values', () => {
    const ours = goldenParameterSpec(golden.config)
    expect(ours).toEqual(python.parameters.map(({ name, shape }) => ({ name, shape })))
    ours.forEach(({ shape }, ordinal) => {
      expect([...goldenParameter(ordinal, shape).subarray(0, 4)]).toEqual(python.parameters[ordinal]!.first)
    })
    expect(ours.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)).toBe(python.parameterCount)
  })

  test('the tokens are the same, and targets are the next inputs', () => {
    expect([...golden.inputs.subarray(0, 8)]).toEqual(python.batch.firstTokens)
    expect(golden.targets.at(-1)).toBe(python.batch.lastToken)
    expect([...golden.targets.subarray(0, golden.length - 1)]).toEqual([...golden.inputs.subarray(1, golden.length)])
  })

  test('the norm over all gradients agrees with the norm of each', () => {
    expect(Math.hypot(...golden.gradients.map(({ norm }) => norm))).toBeCloseTo(golden.gradientNorm, 10)
  })

  test('the tokens of the training steps are the same', () => {
    const { batch, length, steps, data } = loadGoldenSteps(`${name}-steps`)
    const written = data as typeof data & { firstTokens: readonly number[]; lastToken: number }
    expect([...goldenStepTokens(0, batch, length + 1, data).subarray(0, 8)]).toEqual(written.firstTokens)
    expect(goldenStepTokens(steps - 1, batch, length + 1, data).at(-1)).toBe(written.lastToken)
  })
})

describe('comparing a gradient with a golden one', () => {
  const gradient = loadGoldenModel('llama-nano').gradients[2]!

  test('the golden gradient itself has no error beyond its rounding to float32', () => {
    const { sampled, projected, norm } = gradientErrors(gradient, gradient.values)
    expect(gradient.full).toBe(true)
    expect(sampled).toBe(0)
    expect(projected).toBeLessThan(1e-6)
    expect(norm).toBeLessThan(1e-6)
  })

  test('a perturbation of one in a thousand is seen at its size by the samples and by the projections', () => {
    const disturbed = gradient.values.map((value, i) => value * (1 + 1e-3 * (i % 2 === 0 ? 1 : -1)))
    const { sampled, projected } = gradientErrors(gradient, disturbed)
    expect(sampled).toBeCloseTo(1e-3, 5)
    expect(projected).toBeGreaterThan(2e-4)
    expect(projected).toBeLessThan(3e-3)
  })
})
