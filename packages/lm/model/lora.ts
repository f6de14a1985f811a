import { init, Layer, nn, type Parameter } from '@enigma/nn'
import { dropout, type Tensor } from '@enigma/tensor'
import type { FloatTensor } from '@enigma/tensor/formats'
import type { ModelConfig } from '../config.js'
import { LmError } from '../errors.js'
import { parameterSpecs } from '../parameters.js'
import type { LlamaForCausalLM } from './llama.js'

/** The projections that adapters can be put on, by their names in Hugging Face's models and in PEFT. */
const loraTargets = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'] as const

export type LoraTarget = (typeof loraTargets)[number]

/** What an adapter is like; defaults as PEFT's for Llama. */
export interface LoraOptions {
  /** Inner width. Default 8. */
  readonly rank?: number
  /** The adapter counts alpha / rank times. Default 16. */
  readonly alpha?: number
  /** Share of the adapter's inputs that is dropped in training. Default 0. */
  readonly dropout?: number
  /** Default q_proj and v_proj. */
  readonly targets?: readonly LoraTarget[]
}

export type LoraConfig = Required<LoraOptions>

const isTarget = (name: unknown): name is LoraTarget => loraTargets.some((target) => target === name)

/** @throws LmError INVALID_OPTION naming the option, its range and the value */
export function loraConfig({ rank = 8, alpha = 16, dropout = 0, targets = ['q_proj', 'v_proj'] }: LoraOptions): LoraConfig {
  const refuse = (what: string) => new LmError('INVALID_OPTION', `LoRA: ${what}`)
  if (!(Number.isSafeInteger(rank) && rank > 0)) throw refuse(`r must be a positive whole number, got ${rank}`)
  if (!(alpha > 0 && Number.isFinite(alpha))) throw refuse(`alpha must be positive, got ${alpha}`)
  if (!(dropout >= 0 && dropout < 1)) throw refuse(`dropout must be at least 0 and less than 1, got ${dropout}`)
  const unknown = targets.find((target) => !isTarget(target))
  if (targets.length === 0 || unknown !== undefined)
    throw refuse(`targets are ${loraTargets.join(', ')} or all, got ${unknown ?? 'none'}`)
  return { rank, alpha, dropout, targets: loraTargets.filter((target) => targets.includes(target)) }
}

/**
 * LoRA settings as a line: `r=8,alpha=16,dropout=0.05,targets=q_proj,v_proj`; every part may be left out, and `targets=all` names all seven.
 * @throws LmError INVALID_OPTION
 */
export function parseLora(line: string): LoraConfig {
  const fields = new Map<string, string[]>()
  let values: string[] | undefined
  for (const part of line.split(',').map((text) => text.trim())) {
    const [name, value] = part.includes('=') ? (part.split('=', 2) as [string, string]) : ([undefined, part] as const)
    if (name !== undefined) fields.set(name, (values = []))
    if (value === '') continue
    if (!values) throw new LmError('INVALID_OPTION', `LoRA: '${part}' has no name. Write r=8,alpha=16,targets=q_proj,v_proj`)
    values.push(value)
  }
  const number = (name: string) => {
    const given = fields.get(name)
    return given === undefined ? undefined : given.length === 1 ? Number(given[0]) : Number.NaN
  }
  const unknown = [...fields.keys()].find((name) => !['r', 'alpha', 'dropout', 'targets'].includes(name))
  if (unknown !== undefined)
    throw new LmError('INVALID_OPTION', `LoRA has no setting '${unknown}'. It has: r, alpha, dropout, targets`)
  const [rank, alpha, rate, targets] = [number('r'), number('alpha'), number('dropout'), fields.get('targets')]
  return loraConfig({
    ...(rank !== undefined && { rank }),
    ...(alpha !== undefined && { alpha }),
    ...(rate !== undefined && { dropout: rate }),
    // Names that are none are refused by `loraConfig`.
    ...(targets && { targets: targets.join() === 'all' ? loraTargets : (targets as LoraTarget[]) }),
  })
}

/**
 * A linear layer whose weight stays as it is and has something added: y = x·Wᵀ + (α/r)·x·Aᵀ·Bᵀ (Hu et al. 2021). A starts as PEFT
 * starts it, U(±1/√in), and B at zero, so that training begins with what the model computes already. Field names are PEFT's.
 */
class LoraLinear extends Layer {
  readonly weight: Parameter
  readonly bias?: Parameter
  readonly lora_A: nn.Linear
  readonly lora_B: nn.Linear
  readonly #scale: number
  readonly #dropout: number
  readonly #base: nn.Linear

  constructor(base: nn.Linear, { rank, alpha, dropout: p }: LoraConfig, random: init.Random) {
    super()
    const [out, inputs] = base.weight.shape as readonly [number, number]
    this.#base = base
    this.weight = base.weight
    if (base.bias) this.bias = base.bias
    this.lora_A = new nn.Linear(inputs, rank, { bias: false, seed: null })
    this.lora_B = new nn.Linear(rank, out, { bias: false, seed: null })
    init.uniform(this.lora_A.weight, 1 / Math.sqrt(inputs), random)
    this.#scale = alpha / rank
    this.#dropout = p
  }

  override forward(x: Tensor): Tensor {
    const added = this.lora_B.forward(this.lora_A.forward(dropout(x, this.#dropout)).mul(this.#scale))
    return this.#base.forward(x).add(added)
  }

  /** The weight with the adapter added: [out, in]. */
  merged(): FloatTensor {
    return mergeLora(this.weight, this.lora_A.weight, this.lora_B.weight, this.#scale)
  }
}

/** weight + scale·b·a, for weight [out, in], a [rank, in] and b [out, rank]; sums in float64. */
export function mergeLora(weight: FloatTensor, a: FloatTensor, b: FloatTensor, scale: number): FloatTensor {
  const [out, inputs] = weight.shape as readonly [number, number]
  const rank = a.shape[0]!
  const data = new Float32Array(weight.data.length)
  const row = new Float64Array(inputs)
  for (let o = 0; o < out; o++) {
    row.fill(0)
    for (let r = 0; r < rank; r++) {
      const factor = scale * b.data[o * rank + r]!
      for (let i = 0; i < inputs; i++) row[i]! += factor * a.data[r * inputs + i]!
    }
    for (let i = 0; i < inputs; i++) data[o * inputs + i] = weight.data[o * inputs + i]! + row[i]!
  }
  return { dtype: 'f32', shape: weight.shape, data }
}

/** The number of weights that adapters add to a model of this shape. */
export function adapterParameters(config: ModelConfig, { rank, targets }: LoraConfig): number {
  const sizes = parameterSpecs(config).map(({ name, shape: [out = 0, inputs = 0] }) =>
    targets.some((target) => name.endsWith(`.${target}.weight`)) ? rank * (out + inputs) : 0,
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** Puts adapters on a model's projections and freezes everything else. */
export function addLora(model: LlamaForCausalLM, config: LoraConfig, seed: number): void {
  model.freeze()
  const random = new init.Random(seed)
  const places = [...model.namedLayers()].flatMap(([, layer]) =>
    [...layer.members()].flatMap(([name, member]) =>
      member instanceof nn.Linear && config.targets.some((target) => target === name) ? [{ layer, name, member }] : [],
    ),
  )
  for (const { layer, name, member } of places) Object.assign(layer, { [name]: new LoraLinear(member, config, random) })
}

const isAdapter = (name: string) => /\.lora_[AB]\.weight$/.test(name)

/** The adapters of a model by the names of their parameters; empty for a model without. */
export function loraTensors(model: Layer): Record<string, FloatTensor> {
  return Object.fromEntries([...model.namedParameters()].filter(([name]) => isAdapter(name)))
}

/** A model's weights under Hugging Face's names, live, but for those that adapters change: these are copies with the adapter added. */
export function mergedTensors(model: Layer): Record<string, FloatTensor> {
  const merged = new Map<string, FloatTensor>(
    [...model.namedLayers()].flatMap(([name, layer]) =>
      layer instanceof LoraLinear ? [[`${name}.weight`, layer.merged()] as const] : [],
    ),
  )
  return Object.fromEntries(
    [...model.namedParameters()].flatMap(([name, parameter]) =>
      isAdapter(name) ? [] : [[name, merged.get(name) ?? parameter] as const],
    ),
  )
}
