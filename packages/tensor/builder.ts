import type { DType, HostTensor, TypedArray } from './dtype.js'
import { dtypes, isFloat, sizeOf } from './dtype.js'
import { TensorError } from './errors.js'
import { fromFloat32 } from './halves.js'
import type { OpName } from './ops/index.js'
import { opTable } from './ops/index.js'
import type { Attributes, Dims, Node, Program, ProgramConstant, ProgramInput, RandomSource, Value } from './program.js'
import { assertConsistent } from './runtime/match-tensors.js'
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
  readonly #inputNames = new Set<string>()
  readonly #constants: ProgramConstant[] = []
  readonly #nodes: Node[] = []
  readonly #tensors: Tensor[] = []
  readonly #captured = new Map<Captured, { readonly tensor: Tensor; readonly name: string }>()
  readonly #scalars = new Map<string, Tensor>()
  readonly #updates = new Map<Captured, { readonly value: Tensor; readonly name: string }>()

  constructor(options: BuilderOptions = {}) {
    this.training = options.training ?? false
  }

  get nodes(): readonly Node[] {
    return this.#nodes
  }

  /** Tensors captured so far, in order of first use, with the name of the input each became. */
  captured(): readonly { readonly source: Captured; readonly tensor: Tensor; readonly name: string }[] {
    return [...this.#captured].map(([source, { tensor, name }]) => ({ source, tensor, name }))
  }

  /** New numbers for captured tensors that the program computes besides its outputs, with the name of the output each became. */
  updates(): readonly { readonly source: Captured; readonly value: Tensor; readonly name: string }[] {
    return [...this.#updates].map(([source, { value, name }]) => ({ source, value, name }))
  }

  /**
   * Says that after each run `source` holds `value` (a running mean). The run itself reads the old numbers; who runs the
   * program copies the new ones over. Of several updates of a source the last one counts: start it from `updated(source)`.
   */
  update(source: Captured, value: Tensor): void {
    if (value.dtype !== source.dtype || value.shape.join() !== source.shape.join())
      throw new TensorError(
        'SHAPE_MISMATCH',
        `update: a tensor ${source.dtype}[${source.shape.join(', ')}] cannot become ${value.dtype}[${value.shape.join(', ')}].`,
      )
    const name = this.#updates.get(source)?.name ?? `#update.${this.#updates.size}`
    this.#updates.set(source, { value: this.lift(value), name })
  }

  /** What `source` will hold after the run, as far as the program has been traced. */
  updated(source: Captured): Tensor {
    return this.#updates.get(source)?.value ?? this.lift(source)
  }

  tensor(id: number): Tensor {
    return this.#tensors[id]!
  }

  /** @throws TensorError UNKNOWN_INPUT when the name is taken, or starts with '#' as internal names do */
  input(name: string, shape: Dims, dtype: DType = 'f32'): Tensor {
    refuseInternal('input', name)
    return this.#input(name, shape, dtype)
  }

  /** An input that the runtime fills with fresh random numbers on every run. */
  random(source: RandomSource, shape: Dims): Tensor {
    return this.#input(this.#free('random'), shape, 'f32', source)
  }

  constant(data: TypedArray | readonly number[], shape: readonly number[], dtype: DType = 'f32'): Tensor {
    if (data.length !== sizeOf(shape))
      throw new TensorError(
        'SHAPE_MISMATCH',
        `constant: ${data.length} elements do not make the shape [${shape.join(', ')}], which needs a number for each size.`,
      )
    const tensor = this.#value(shape, dtype)
    this.#constants.push({ value: tensor.id, data: Array.isArray(data) ? arrayOf(dtype, data) : (data as TypedArray) })
    return tensor
  }

  scalar(value: number, dtype: DType = 'f32'): Tensor {
    if (!isFloat(dtype) && !Number.isInteger(value))
      throw new TensorError('DTYPE_MISMATCH', `${value} is no ${dtype}. cast() the tensor to f32 first, or use an integer.`)
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
    let captured = this.#captured.get(operand)
    if (!captured) {
      const name = this.#free('captured')
      captured = { tensor: this.#input(name, operand.shape, operand.dtype), name }
      this.#captured.set(operand, captured)
    }
    return captured.tensor
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

  /** @throws TensorError UNKNOWN_OUTPUT when an output has the name of an input */
  build(outputs: Readonly<Record<string, Tensor>>): Program {
    const all = [...Object.entries(outputs), ...[...this.#updates.values()].map(({ name, value }) => [name, value] as const)]
    for (const [name] of all) {
      if (this.#inputNames.has(name))
        throw new TensorError('UNKNOWN_OUTPUT', `'${name}' is an input and an output. Give the output a name of its own.`)
    }
    return {
      values: this.#values,
      inputs: this.#inputs,
      constants: this.#constants,
      nodes: this.#nodes,
      outputs: all.map(([name, tensor]) => ({ name, value: this.lift(tensor).id })),
    }
  }

  #input(name: string, shape: Dims, dtype: DType, random?: RandomSource): Tensor {
    this.#claim(name)
    const tensor = this.#value(shape, dtype)
    this.#inputs.push({ name, value: tensor.id, ...(random && { random }) })
    return tensor
  }

  /** A name for an internal input; inlined programs bring some along. */
  #free(kind: string): string {
    for (let index = 0; ; index++) {
      const name = `#${kind}.${index}`
      if (!this.#inputNames.has(name)) return name
    }
  }

  #claim(name: string): void {
    if (this.#inputNames.has(name))
      throw new TensorError('UNKNOWN_INPUT', `The program already has an input '${name}'. Give each input its own name.`)
    this.#inputNames.add(name)
  }

  #value(shape: Dims, dtype: DType): Tensor {
    const tensor = new Tensor(this, this.#values.length, shape, dtype)
    this.#values.push({ shape, dtype })
    this.#tensors.push(tensor)
    return tensor
  }
}

/** Names that this package gives start with '#', here and in the ONNX model, so they never meet those that people give. */
export function refuseInternal(kind: 'input' | 'output', name: string): void {
  if (name.startsWith('#'))
    throw new TensorError(
      kind === 'input' ? 'UNKNOWN_INPUT' : 'UNKNOWN_OUTPUT',
      `The ${kind} '${name}' starts with '#', which is kept for internal names. Choose another name.`,
    )
}

/** A typed array of `dtype` holding the given numbers. */
export function arrayOf(dtype: DType, numbers: readonly number[]): TypedArray {
  if (dtype === 'i64') return BigInt64Array.from(numbers, (value) => BigInt(value))
  if (dtype === 'f16' || dtype === 'bf16') return fromFloat32(Float32Array.from(numbers), dtype)
  if (dtype === 'bool') return Uint8Array.from(numbers, (value) => Number(value !== 0))
  return (dtypes[dtype].array as Float32ArrayConstructor).from(numbers)
}

/** A host tensor from plain numbers; handy in tests and examples. @throws TensorError SHAPE_MISMATCH */
export function tensor(
  numbers: readonly number[],
  shape: readonly number[] = [numbers.length],
  dtype: DType = 'f32',
): HostTensor {
  const made = { dtype, shape, data: arrayOf(dtype, numbers) }
  assertConsistent('tensor', made)
  return made
}
