import { applyProgram, type Operand, type Program, type Tensor } from '@enigma/tensor'
import { NnError } from '../errors.js'
import { Layer, type LayerMember } from '../layer.js'
import { LayerBuffer } from '../layer-buffer.js'
import { Parameter } from '../parameter.js'

/**
 * A network read from an ONNX file that `toOnnx` wrote: its computation as in evaluation (dropout is gone, statistics stand), its
 * weights as parameters to train further, under the names they had.
 */
export class OnnxNetwork extends Layer {
  readonly #program: Program
  readonly #weights = new Map<string, Parameter | LayerBuffer<'f32' | 'i64'>>()

  constructor(program: Program, buffers: ReadonlySet<string> = new Set()) {
    super()
    this.#program = program
    for (const { value, data, name } of program.constants) {
      if (name === undefined) continue
      const shape = program.values[value]!.shape as readonly number[]
      if (data instanceof Float32Array && !buffers.has(name)) this.#weights.set(name, new Parameter(shape, data))
      else if (data instanceof Float32Array) this.#weights.set(name, new LayerBuffer(shape, 'f32', data))
      else if (data instanceof BigInt64Array) this.#weights.set(name, new LayerBuffer(shape, 'i64', data))
    }
  }

  /** Names of the inputs, in the order in which `forward` takes them. */
  get inputs(): readonly string[] {
    return this.#program.inputs.map(({ name }) => name)
  }

  get outputs(): readonly string[] {
    return this.#program.outputs.map(({ name }) => name)
  }

  /** Takes the inputs in the file's order, gives its first output. */
  override forward(...tensors: Tensor[]): Tensor {
    const inputs = Object.fromEntries(this.inputs.flatMap((name, index) => (tensors[index] ? [[name, tensors[index]]] : [])))
    return this.forwardAll(inputs)[this.outputs[0]!]!
  }

  /** All outputs by name. */
  forwardAll(inputs: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
    const [first] = Object.values(inputs)
    if (!first) throw new NnError('INVALID_ARGUMENT', `This network takes ${this.inputs.join(', ')}; nothing was given.`)
    const weights: Readonly<Record<string, Operand>> = Object.fromEntries(this.#weights)
    return applyProgram(first.builder, this.#program, { inputs, weights })
  }

  override *members(): Generator<[string, LayerMember]> {
    yield* this.#weights
  }
}
