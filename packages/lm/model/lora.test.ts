import { optim } from '@enigma/nn'
import { describe, expect, it } from 'vitest'
import { createConfig } from '../config.js'
import { LossProgram } from '../evaluation/loss-program.js'
import { languageModelingStep } from './language-modeling-step.js'
import { LlamaForCausalLM } from './llama.js'
import { addLora, loraConfig, loraTensors, mergedTensors, parseLora } from './lora.js'

const config = createConfig({ vocabSize: 64, dim: 32, layers: 2, heads: 4, kvHeads: 2, context: 32, qkvBias: true })
const sizes = { batch: 2, length: 16 }
const alone = { threads: 1, spin: false }

function fill(tokens: BigInt64Array, targets: BigInt64Array, seed: number): void {
  for (let i = 0; i < tokens.length; i++) tokens[i] = BigInt((i * 7 + seed * 13) % 64)
  for (let i = 0; i < tokens.length; i++) targets[i] = BigInt((i * 5 + seed * 3) % 64)
}

async function lossOf(model: LlamaForCausalLM): Promise<number> {
  const program = await LossProgram.compile(model, { ...sizes, ...alone })
  fill(program.tokens, program.targets, 1)
  const loss = await program.run()
  program.close()
  return loss
}

async function trained(model: LlamaForCausalLM, steps: number) {
  const step = await languageModelingStep(model, { optimizer: optim.adamw({ lr: 0.02 }), ...sizes, ...alone })
  const states = Object.keys(step.optimizerState())
  const losses: number[] = []
  for (let index = 0; index < steps; index++) {
    const { tokens, targets } = step.inputs
    const { loss } = await step.step(() => fill(tokens.data as BigInt64Array, targets.data as BigInt64Array, 1))
    losses.push(loss)
  }
  await step.close()
  return { losses, states }
}

describe('LoRA', () => {
  it('begins with what the model computes already', async () => {
    const model = new LlamaForCausalLM(config, { seed: 3 })
    const before = await lossOf(model)
    addLora(model, loraConfig({ targets: ['q_proj', 'down_proj'] }), 1)
    expect(await lossOf(model)).toBe(before)
  })

  it('trains its own matrices and leaves the model as it is', async () => {
    const model = new LlamaForCausalLM(config, { seed: 3 })
    addLora(model, loraConfig({ rank: 4 }), 1)
    const frozen = Object.entries(mergedTensors(model)).map(([name, { data }]) => [name, data.slice()] as const)
    const { losses, states } = await trained(model, 30)
    expect(losses.at(-1)!).toBeLessThan(losses[0]! - 0.3)
    expect(Object.keys(loraTensors(model))).toHaveLength(2 * 2 * 2)
    expect(states.every((name) => /\.lora_[AB]\.weight$/.test(name))).toBe(true)
    const now = new Map(model.namedParameters())
    for (const [name, data] of frozen) expect(now.get(name)!.data, name).toEqual(data)
  })

  it('merged into the weights computes the same', async () => {
    const model = new LlamaForCausalLM(config, { seed: 3 })
    addLora(model, loraConfig({ rank: 4, alpha: 12, targets: ['q_proj', 'v_proj', 'up_proj', 'o_proj'] }), 1)
    await trained(model, 10)
    const merged = new LlamaForCausalLM(config, { seed: null })
    merged.loadStateDict(mergedTensors(model))
    expect(await lossOf(merged)).toBeCloseTo(await lossOf(model), 5)
    expect(await lossOf(merged)).not.toBeCloseTo(await lossOf(new LlamaForCausalLM(config, { seed: 3 })), 2)
  })
})

describe('LoRA settings in words', () => {
  const all = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj']
  it.each([
    ['', { rank: 8, alpha: 16, dropout: 0, targets: ['q_proj', 'v_proj'] }],
    ['r=4', { rank: 4, alpha: 16, dropout: 0, targets: ['q_proj', 'v_proj'] }],
    ['targets=v_proj,k_proj,r=2,alpha=1,dropout=0.1', { rank: 2, alpha: 1, dropout: 0.1, targets: ['k_proj', 'v_proj'] }],
    ['targets=all', { rank: 8, alpha: 16, dropout: 0, targets: all }],
  ])('%j', (line, expected) => {
    expect(parseLora(line)).toEqual(expected)
  })

  it.each([
    ['r=0', /r must be a positive whole number, got 0/],
    ['r=many', /r must be a positive whole number, got NaN/],
    ['rank=8', /no setting 'rank'.*r, alpha, dropout, targets/],
    ['targets=embed', /targets are q_proj, .* or all, got embed/],
    ['alpha=-1', /alpha must be positive, got -1/],
    ['8', /'8' has no name/],
  ])('refuses %j', (line, message) => {
    expect(() => parseLora(line)).toThrow(message)
  })
})
