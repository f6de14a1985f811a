import type { DType, HostTensor, TypedArray } from './dtype.js'
import { dtypes } from './dtype.js'
import { TensorError } from './errors.js'
import type { OpName } from './ops/index.js'
import { opTable } from './ops/index.js'
import type { Attributes, Dims, Node, Program, ProgramConstant, ProgramInput, RandomSource, Value } from './program.js'
import { Tensor } from './tensor.js'

/** A tensor that lives outside the program and enters it as an input: a layer's parameter. Identity is the object. */
export interface Captured {
  readonly dtype: DType
  readonly shape: readonly number[]
}

/** What an op's function takes: a traced tensor, a parameter, or a number (becomes a scalar of the other operand's dtype). */
export type Operand = Tensor | Captured | number

export interface BuilderOptions {
  /** Layers that behave differently while training (dropout) ask this. Default false. */
  readonly training?: boolean
}

/** Collects the nodes of one program while it is being traced. */
export class Builder {
  readonly training: boolean
  readonly #values: Value[] = []
  readonly #inputs: ProgramInput[] = []
  readonly #constants: ProgramConstant[] = []
  readonly #nodes: Node[] = []
  readonly #tensors: Tensor[] = []
  readonly #captured = new Map<Captured, Tensor>()
  readonly #scalars = new Map<string, Tensor>()

  constructor(options: BuilderOptions = {}) {
    this.training = options.training ?? false
  }

  get nodes(): readonly Node[] {
    return this.#nodes
  }

  /** Tensors captured so far, in order of first use, with the name of the input each became. */
  captured(): readonly { readonly source: Captured; readonly tensor: Tensor; readonly name: string }[] {
    return [...this.#captured].map(([source, tensor], index) => ({ source, tensor, name: `captured.${index}` }))
  }

  tensor(id: number): Tensor {
    return this.#tensors[id]!
  }

  input(name: string, shape: Dims, dtype: DType = 'f32'): Tensor {
    this.#claim(name)
    const tensor = this.#value(shape, dtype)
    this.#inputs.push({ name, value: tensor.id })
    return tensor
  }

  /** An input that the runtime fills with fresh random numbers on every run. */
  random(source: RandomSource, shape: Dims): Tensor {
    const tensor = this.#value(shape, 'f32')
    this.#inputs.push({ name: `random.${this.#inputs.length}`, value: tensor.id, random: source })
    return tensor
  }

  constant(data: TypedArray | readonly number[], shape: readonly number[], dtype: DType = 'f32'): Tensor {
    const tensor = this.#value(shape, dtype)
    this.#constants.push({ value: tensor.id, data: Array.isArray(data) ? arrayOf(dtype, data) : (data as TypedArray) })
    return tensor
  }

  scalar(value: number, dtype: DType = 'f32'): Tensor {
    const key = `${dtype}:${Object.is(value, -0) ? '-0' : value}`
    let tensor = this.#scalars.get(key)
    if (!tensor) this.#scalars.set(key, (tensor = this.constant([value], [], dtype)))
    return tensor
  }

  /** The tensor that stands for an operand in this program. */
  lift(operand: Operand, dtype: DType = 'f32'): Tensor {
    if (typeof operand === 'number') return this.scalar(operand, dtype)
    if (operand instanceof Tensor) {
      if (operand.builder !== this)
        throw new TensorError('UNKNOWN_INPUT', 'A tensor of another trace was used here. Pass it in as an input of this program.')
      return operand
    }
    let tensor = this.#captured.get(operand)
    if (!tensor) {
      tensor = this.input(`captured.${this.#captured.size}`, operand.shape, operand.dtype)
      this.#captured.set(operand, tensor)
    }
    return tensor
  }

  apply(op: OpName, inputs: readonly Tensor[], attributes: Attributes = {}): Tensor[] {
    const inferred = opTable[op].infer(inputs, attributes)
    const outputs = inferred.map((value) => this.#value(value.shape, value.dtype))
    this.#nodes.push({ op, inputs: inputs.map((tensor) => tensor.id), outputs: outputs.map((tensor) => tensor.id), attributes })
    return outputs
  }

  /** Adds all of `program`, its inputs and constants included, and returns a tensor for each of its values. */
  inline(program: Program): Tensor[] {
    const map: Tensor[] = []
    for (const input of program.inputs) {
      this.#claim(input.name)
      const { shape, dtype } = program.values[input.value]!
      const tensor = this.#value(shape, dtype)
      this.#inputs.push({ ...input, value: tensor.id })
      map[input.value] = tensor
    }
    for (const { value, data } of program.constants) {
      const { shape, dtype } = program.values[value]!
      map[value] = this.constant(data, shape as readonly number[], dtype)
    }
    for (const node of program.nodes) {
      const outputs = node.outputs.map((id) => this.#value(program.values[id]!.shape, program.values[id]!.dtype))
      const inputs = node.inputs.map((id) => map[id]!.id)
      this.#nodes.push({ ...node, inputs, outputs: outputs.map((tensor) => tensor.id) })
      node.outputs.forEach((id, index) => {
        map[id] = outputs[index]!
      })
    }
    return map
  }

  build(outputs: Readonly<Record<string, Tensor>>): Program {
    return {
      values: this.#values,
      inputs: this.#inputs,
      constants: this.#constants,
      nodes: this.#nodes,
      outputs: Object.entries(outputs).map(([name, tensor]) => ({ name, value: this.lift(tensor).id })),
    }
  }

  #claim(name: string): void {
    if (this.#inputs.some((input) => input.name === name))
      throw new TensorError('UNKNOWN_INPUT', `The program already has an input '${name}'. Give each input its own name.`)
  }

  #value(shape: Dims, dtype: DType): Tensor {
    const tensor = new Tensor(this, this.#values.length, shape, dtype)
    this.#values.push({ shape, dtype })
    this.#tensors.push(tensor)
    return tensor
  }
}

/** A typed array of `dtype` holding the given numbers. */
export function arrayOf(dtype: DType, numbers: readonly number[]): TypedArray {
  if (dtype === 'i64') return BigInt64Array.from(numbers, (value) => BigInt(value))
  return (dtypes[dtype].array as Float32ArrayConstructor).from(numbers)
}

/** A host tensor from plain numbers; handy in tests and examples. */
export function tensor(
  numbers: readonly number[],
  shape: readonly number[] = [numbers.length],
  dtype: DType = 'f32',
): HostTensor {
  return { dtype, shape, data: arrayOf(dtype, numbers) }
}
