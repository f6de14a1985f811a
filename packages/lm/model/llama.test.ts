import { optim } from '@enigma/nn'
import { describe, expect, it } from 'vitest'
import { createConfig } from '../config.js'
import { type GoldenConfig, goldenParameters, goldenStepTokens, inputsAndTargets } from '../golden/generate.js'
import { gradientErrors, loadGoldenModel, loadGoldenSteps } from '../golden/load.js'
import { languageModelingStep } from './language-modeling-step.js'
import { LlamaForCausalLM } from './llama.js'

/** A model with the golden weights of `golden/make_golden.py`. */
function goldenModel(golden: GoldenConfig, recompute = false) {
  const { vocab, dim, layers, heads, kvHeads, hidden, normEps, ropeTheta } = golden
  const config = createConfig({
    vocabSize: vocab,
    dim,
    layers,
    heads,
    kvHeads,
    hidden,
    rmsNormEps: normEps,
    ropeTheta,
    context: 128,
  })
  const model = new LlamaForCausalLM(config, { recompute })
  const state = new Map(goldenParameters(golden))
  for (const [name, parameter] of model.namedParameters()) parameter.data.set(state.get(name)!)
  return model
}

const bytes = ({ buffer, byteOffset, byteLength }: Float32Array) => Buffer.from(buffer, byteOffset, byteLength)

/** Tests run beside one another: spinning threads would wait for cores that others hold. */
const alone = { threads: 1, spin: false }

const fill = (target: BigInt64Array, tokens: Int32Array) => {
  for (let i = 0; i < tokens.length; i++) target[i] = BigInt(tokens[i]!)
}

describe.each(['llama-nano', 'llama-5m'] as const)('%s against PyTorch', (name) => {
  const golden = loadGoldenModel(name)

  it('has the same loss and every gradient within 1e-4', async () => {
    const { batch, length, inputs, targets } = golden
    const step = await languageModelingStep(goldenModel(golden.config), { optimizer: optim.adamw(), batch, length, ...alone })
    const { loss, gradients } = await step.gradients(() => {
      fill(step.inputs.tokens.data as BigInt64Array, inputs)
      fill(step.inputs.targets.data as BigInt64Array, targets)
    })
    expect(loss).toBeCloseTo(golden.loss, 5)
    expect(Object.keys(gradients).sort()).toEqual(golden.gradients.map((gradient) => gradient.name).sort())
    for (const gradient of golden.gradients) {
      const errors = gradientErrors(gradient, gradients[gradient.name]!)
      expect(errors.sampled, gradient.name).toBeLessThan(1e-4)
      expect(errors.projected, gradient.name).toBeLessThan(1e-4)
      expect(errors.norm, gradient.name).toBeLessThan(1e-4)
    }
    await step.close()
  })

  it('has the same bits when the backward pass computes each block again', async () => {
    const { batch, length, inputs, targets } = golden
    const gradientsOf = async (recompute: boolean) => {
      const model = goldenModel(golden.config, recompute)
      const step = await languageModelingStep(model, { optimizer: optim.adamw(), batch, length, ...alone })
      const { gradients } = await step.gradients(() => {
        fill(step.inputs.tokens.data as BigInt64Array, inputs)
        fill(step.inputs.targets.data as BigInt64Array, targets)
      })
      await step.close()
      return gradients
    }
    const [kept, again] = [await gradientsOf(false), await gradientsOf(true)]
    for (const [parameter, gradient] of Object.entries(kept))
      expect(bytes(again[parameter]!).compare(bytes(gradient)), parameter).toBe(0)
  })

  it('follows the losses of 100 training steps within 1e-3', async () => {
    const steps = loadGoldenSteps(`${name}-steps`)
    const { batch, length, optimizer, data } = steps
    const { learningRate: lr, beta1, beta2, epsilon: eps, weightDecay, clipNorm } = optimizer
    const step = await languageModelingStep(goldenModel(steps.config), {
      optimizer: optim.adamw({ lr, betas: [beta1, beta2], eps, weightDecay }),
      clipNorm,
      batch,
      length,
      ...alone,
    })
    let worst = 0
    for (const [index, expected] of steps.losses.entries()) {
      const { inputs, targets } = inputsAndTargets(goldenStepTokens(index, batch, length + 1, data), length)
      const { loss } = await step.step(() => {
        fill(step.inputs.tokens.data as BigInt64Array, inputs)
        fill(step.inputs.targets.data as BigInt64Array, targets)
      })
      worst = Math.max(worst, Math.abs(loss - expected))
    }
    expect(worst).toBeLessThan(1e-3)
    await step.close()
  }, 300_000)
})
