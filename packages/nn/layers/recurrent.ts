import { concat, dropout, gru, lstm, type Operand, type RecurrentWeights, type Tensor } from '@enigma/tensor'
import { NnError } from '../errors.js'
import { randomOf, type Seed, uniform } from '../init/index.js'
import { Layer, type LayerMember } from '../layer.js'
import { optionsOf } from '../options.js'
import { Parameter } from '../parameter.js'

export interface RecurrentOptions {
  /** Layers on top of each other. Default 1. */
  readonly numLayers?: number
  /** Default true. */
  readonly bias?: boolean
  /** x is [batch, time, features] instead of [time, batch, features]. Default false, as in PyTorch. */
  readonly batchFirst?: boolean
  /** Dropout on the output of every layer but the last, while training. Default 0. */
  readonly dropout?: number
  /** A second set of weights reads backwards; features of both are joined. Default false. */
  readonly bidirectional?: boolean
  readonly seed?: Seed
}

type State = readonly Tensor[]
interface CellResult {
  readonly output: Tensor
  readonly states: State
}

/** What LSTM and GRU share: weights by PyTorch's names, layers, directions, states. */
abstract class Recurrent extends Layer {
  readonly inputSize: number
  readonly hiddenSize: number
  readonly #gates: number
  readonly #states: number
  readonly #options: Required<Omit<RecurrentOptions, 'seed'>>
  readonly #weights = new Map<string, Parameter>()

  constructor(gates: number, states: number, inputSize: number, hiddenSize: number, options: RecurrentOptions) {
    super()
    const {
      numLayers = 1,
      bias = true,
      batchFirst = false,
      dropout: p = 0,
      bidirectional = false,
      seed,
    } = optionsOf(new.target.name, options, 'numLayers: 2')
    for (const [name, value] of Object.entries({ inputSize, hiddenSize, numLayers }))
      if (!Number.isInteger(value) || value < 1)
        throw new NnError('INVALID_ARGUMENT', `${new.target.name}: ${name} must be a positive whole number, got ${value}.`)
    if (!(p >= 0 && p < 1))
      throw new NnError('INVALID_ARGUMENT', `${new.target.name}: dropout must be at least 0 and less than 1, got ${p}.`)
    this.inputSize = inputSize
    this.hiddenSize = hiddenSize
    this.#gates = gates
    this.#states = states
    this.#options = { numLayers, bias, batchFirst, dropout: p, bidirectional }
    const random = randomOf(seed)
    const rows = gates * hiddenSize
    for (let layer = 0; layer < numLayers; layer++)
      for (const suffix of this.#directions(layer)) {
        const features = layer === 0 ? inputSize : hiddenSize * (bidirectional ? 2 : 1)
        this.#weights.set(`weight_ih_${suffix}`, new Parameter([rows, features]))
        this.#weights.set(`weight_hh_${suffix}`, new Parameter([rows, hiddenSize]))
        if (!bias) continue
        this.#weights.set(`bias_ih_${suffix}`, new Parameter([rows]))
        this.#weights.set(`bias_hh_${suffix}`, new Parameter([rows]))
      }
    if (random) for (const parameter of this.#weights.values()) uniform(parameter, 1 / Math.sqrt(hiddenSize), random)
  }

  override *members(): Generator<[string, LayerMember]> {
    yield* this.#weights
  }

  /** x [time, batch, input] → [time, batch, hidden (·2 if bidirectional)], from states of zeros. */
  override forward(x: Tensor): Tensor {
    return this.run(x).output
  }

  protected abstract cell(x: Tensor, weights: RecurrentWeights, states: State): CellResult

  /** All outputs, and the last states [layers·directions, batch, hidden]. */
  protected run(x: Tensor, initial?: State): CellResult {
    const { numLayers, batchFirst, dropout: p } = this.#options
    if (x.rank !== 3 || x.shape[2] !== this.inputSize)
      throw new NnError(
        'SHAPE_MISMATCH',
        `${this.constructor.name}: expected x [${batchFirst ? 'batch, time' : 'time, batch'}, ${this.inputSize}], got [${x.shape.join(', ')}].`,
      )
    let value = batchFirst ? x.transpose([1, 0, 2]) : x
    const batch = value.shape[1] as number
    const last: Tensor[][] = Array.from({ length: this.#states }, () => [])
    let place = 0
    for (let layer = 0; layer < numLayers; layer++) {
      const outputs = this.#directions(layer).map((suffix, direction) => {
        const states = Array.from({ length: this.#states }, (_, index) => this.#initial(x, initial?.[index], place, batch))
        place++
        const { output, states: after } = this.cell(direction === 0 ? value : reversed(value), this.#weightsOf(x, suffix), states)
        for (const [index, state] of after.entries()) last[index]!.push(state.reshape([1, batch, this.hiddenSize]))
        return direction === 0 ? output : reversed(output)
      })
      value = outputs.length === 1 ? outputs[0]! : concat(outputs, -1)
      if (layer < numLayers - 1 && this.training) value = dropout(value, p)
    }
    const states = last.map((parts) => (parts.length === 1 ? parts[0]! : concat(parts, 0)))
    return { output: batchFirst ? value.transpose([1, 0, 2]) : value, states }
  }

  #directions(layer: number): string[] {
    return this.#options.bidirectional ? [`l${layer}`, `l${layer}_reverse`] : [`l${layer}`]
  }

  #weightsOf(x: Tensor, suffix: string): RecurrentWeights {
    const zeros = (): Operand => x.builder.scalar(0).broadcastTo([this.#gates * this.hiddenSize])
    return {
      weightIh: this.#weights.get(`weight_ih_${suffix}`)!,
      weightHh: this.#weights.get(`weight_hh_${suffix}`)!,
      biasIh: this.#weights.get(`bias_ih_${suffix}`) ?? zeros(),
      biasHh: this.#weights.get(`bias_hh_${suffix}`) ?? zeros(),
    }
  }

  #initial(x: Tensor, given: Tensor | undefined, place: number, batch: number): Tensor {
    const shape = [batch, this.hiddenSize]
    return given ? given.slice(0, place, place + 1).reshape(shape) : x.builder.scalar(0).broadcastTo(shape)
  }
}

/** Time steps of x [T, ...] from the last to the first. */
function reversed(x: Tensor): Tensor {
  const length = x.shape[0] as number
  const order = Array.from({ length }, (_, t) => length - 1 - t)
  return x.indexSelect(0, x.builder.constant(order, [length], 'i64'))
}

/** Long short-term memory, as `torch.nn.LSTM`: weights and biases U(±1/√hidden), gates in the order i, f, g, o. */
export class LSTM extends Recurrent {
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    super(4, 2, inputSize, hiddenSize, options)
  }

  /** Also takes and gives the states h and c, each [layers·directions, batch, hidden]. */
  forwardWithState(x: Tensor, state?: { readonly h: Tensor; readonly c: Tensor }): { output: Tensor; h: Tensor; c: Tensor } {
    const { output, states } = this.run(x, state && [state.h, state.c])
    return { output, h: states[0]!, c: states[1]! }
  }

  protected override cell(x: Tensor, weights: RecurrentWeights, [h0, c0]: State): CellResult {
    const { output, h, c } = lstm(x, weights, h0!, c0!)
    return { output, states: [h, c] }
  }
}

/** Gated recurrent unit, as `torch.nn.GRU`: weights and biases U(±1/√hidden), gates in the order r, z, n. */
export class GRU extends Recurrent {
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    super(3, 1, inputSize, hiddenSize, options)
  }

  /** Also takes and gives the state h [layers·directions, batch, hidden]. */
  forwardWithState(x: Tensor, state?: { readonly h: Tensor }): { output: Tensor; h: Tensor } {
    const { output, states } = this.run(x, state && [state.h])
    return { output, h: states[0]! }
  }

  protected override cell(x: Tensor, weights: RecurrentWeights, [h0]: State): CellResult {
    const { output, h } = gru(x, weights, h0!)
    return { output, states: [h] }
  }
}
