import type { Device, HostTensor, InputSpec, Tensor, TypedArray } from '@enigma/tensor'
import { type CompiledStep, type CompileStepOptions, compileStep } from './compile-step.js'
import { errorInLayer } from './error-in-layer.js'
import { NnError } from './errors.js'
import type { ExportedOnnx, ExportOptions } from './export/export-onnx.js'
import { writeOnnx } from './export/write-onnx.js'
import { LayerBuffer } from './layer-buffer.js'
import { Parameter } from './parameter.js'
import { Predictor } from './predictor.js'
import { type NetworkSummary, summarize } from './summary.js'

export type StateDict = Record<string, HostTensor>

/** A layer of one tensor, as pipelines chain them. */
export type UnaryLayer = Layer & { forward(x: Tensor): Tensor }

type AnyBuffer = LayerBuffer<'f32' | 'i64'>
export type LayerMember = Parameter | AnyBuffer | Layer

const isLayer = (value: unknown): value is Layer => value instanceof Layer
const isMember = (value: unknown): value is LayerMember =>
  value instanceof Parameter || value instanceof LayerBuffer || isLayer(value)

const isPlain = (value: unknown): value is object =>
  Array.isArray(value) || (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype)

/** The members among the values of an object, of the arrays and plain objects in it too, by dotted names. */
function* membersOf(object: object, prefix = '', within: readonly object[] = []): Generator<[string, LayerMember]> {
  for (const [name, value] of Object.entries(object) as [string, unknown][]) {
    if (isMember(value)) yield [`${prefix}${name}`, value]
    else if (isPlain(value) && !within.includes(value)) yield* membersOf(value, `${prefix}${name}.`, [...within, value])
  }
}

/**
 * A piece of a neural network: parameters, buffers, sub-layers, and how they turn tensors into tensors. Fields that are
 * parameters, buffers or layers, or arrays and plain objects of them, are found by themselves; their names make the keys of
 * `stateDict`.
 */
export abstract class Layer {
  /** False makes dropout and batch normalisation of this layer behave as in evaluation, also within a training step. */
  training = true
  #predictor: Predictor | undefined
  #device: Device = 'cpu'

  constructor() {
    const { forward } = this
    // Errors of ops learn on their way out in which layer they came up.
    const located = (...inputs: never[]) => {
      try {
        return forward.apply(this, inputs)
      } catch (error) {
        throw errorInLayer(this, error)
      }
    }
    Object.defineProperty(this, 'forward', { value: located, writable: true, configurable: true, enumerable: false })
  }

  /** What the layer computes. Layers take what they need; most take one tensor. */
  abstract forward(...inputs: never[]): Tensor

  /** Own parameters, buffers and sub-layers by name; those in arrays and plain objects as in PyTorch's ModuleList and ModuleDict. */
  *members(): Generator<[string, LayerMember]> {
    yield* membersOf(this)
  }

  /** This layer (name '') and all below it with dotted names, in field order; a shared layer appears once. */
  *namedLayers(prefix = '', seen = new Set<Layer>()): Generator<[string, Layer]> {
    if (seen.has(this)) return
    seen.add(this)
    yield [prefix, this]
    for (const [name, member] of this.members())
      if (isLayer(member)) yield* member.namedLayers(prefix ? `${prefix}.${name}` : name, seen)
  }

  /** Own and inherited parameters with dotted names, in field order; a shared parameter appears once, under its first name. */
  *namedParameters(): Generator<[string, Parameter]> {
    for (const [name, member] of this.#named()) if (member instanceof Parameter) yield [name, member]
  }

  /** Own and inherited buffers with dotted names. */
  *namedBuffers(): Generator<[string, AnyBuffer]> {
    for (const [name, member] of this.#named()) if (member instanceof LayerBuffer) yield [name, member]
  }

  parameters(): Parameter[] {
    return [...this.namedParameters()].map(([, parameter]) => parameter)
  }

  parameterCount(): number {
    return this.parameters().reduce((sum, parameter) => sum + parameter.size, 0)
  }

  /** Switches this layer and all below it to training (the default of a new layer) or evaluation. */
  train(mode = true): this {
    for (const [, layer] of this.namedLayers()) layer.training = mode
    return this
  }

  eval(): this {
    return this.train(false)
  }

  /** Freezes (or with `false` unfreezes) all parameters: no gradient is computed and no update made. */
  freeze(frozen = true): this {
    for (const parameter of this.parameters()) parameter.requiresGrad = !frozen
    return this
  }

  /** Parameters and buffers by name. The arrays are the live ones: copy them to keep them. */
  stateDict(): StateDict {
    return Object.fromEntries(this.#named())
  }

  /**
   * Copies `state` into the parameters and buffers.
   * @throws NnError STATE_MISMATCH naming missing, unexpected and wrongly shaped tensors (`strict: false` allows the first two)
   */
  loadStateDict(state: StateDict, { strict = true }: { strict?: boolean } = {}): void {
    const own = new Map(this.#named())
    const missing = [...own.keys()].filter((name) => !(name in state))
    const unexpected = Object.keys(state).filter((name) => !own.has(name))
    const misshapen = [...own].flatMap(([name, member]) => {
      const given = state[name]
      if (!given || (given.shape.join() === member.shape.join() && given.dtype === member.dtype)) return []
      return [`${name} is ${given.dtype}[${given.shape}], expected ${member.dtype}[${member.shape}]`]
    })
    const problems = [
      ...(strict && missing.length > 0 ? [`missing ${missing.join(', ')}`] : []),
      ...(strict && unexpected.length > 0 ? [`unexpected ${unexpected.join(', ')}`] : []),
      ...misshapen,
    ]
    if (problems.length > 0) throw new NnError('STATE_MISMATCH', `The state does not fit this network: ${problems.join('; ')}.`)
    for (const [name, { data }] of own) {
      const given = state[name]
      if (given) (data as { set(values: TypedArray): void }).set(given.data)
    }
  }

  /** Where `predict` and training compute; see `to`. Default `cpu`. */
  get device(): Device {
    return this.#device
  }

  /**
   * Where `predict` and the steps of `compileStep` and `fit` compute from now on: `cpu`, `webgpu`, `cuda`. The weights stay in
   * host memory. A device that is not there shows when the next program is compiled, as a TensorError DEVICE_UNAVAILABLE.
   */
  to(device: Device): this {
    this.#device = device
    void this.#predictor?.release()
    this.#predictor = undefined
    return this
  }

  /**
   * What the network answers to these inputs in evaluation. Compiled once for each shape; the weights are read in place, so
   * a step in training must be awaited first.
   */
  predict(...inputs: HostTensor[]): Promise<HostTensor> {
    this.#predictor ??= new Predictor(this, { device: this.#device })
    return this.#predictor.predict(inputs)
  }

  /** Frees what `predict` has compiled: when the network is done with, or its structure has changed. */
  async release(): Promise<void> {
    await this.#predictor?.release()
  }

  /**
   * Layers, shapes, parameters and floating-point operations of a forward pass on inputs of these shapes; prints as a table.
   * Nothing is computed.
   */
  summary(...inputs: InputSpec[]): NetworkSummary {
    return summarize(this, inputs)
  }

  /** A function that makes one update on a batch; compiled at the first batch of each shape. */
  async compileStep(options: CompileStepOptions): Promise<CompiledStep> {
    return compileStep(this, options)
  }

  /**
   * Writes the network, as it is in evaluation, to an ONNX file that any ONNX runtime runs; `importOnnx` reads it back. Without
   * `inputs` it takes those that `predict` saw last.
   * @returns shapes and types of the file's inputs and outputs
   * Weights beyond the 2 GiB of one file go into a second one, `<file>.data` (`externalData`).
   * @throws NnError INVALID_ARGUMENT; TensorError SHAPE_MISMATCH, UNSUPPORTED_OP, DISK_FULL, NOT_WRITABLE, WRITE_FAILED
   */
  async toOnnx(file: string, options: ExportOptions = {}): Promise<Omit<ExportedOnnx, 'bytes'>> {
    const inputs = this.#predictor?.lastInputs
    return writeOnnx(this, file, { ...(inputs && { inputs }), ...options })
  }

  *#named(prefix = '', seen = new Set<LayerMember>()): Generator<[string, Parameter | AnyBuffer]> {
    for (const [name, member] of this.members()) {
      if (seen.has(member)) continue
      seen.add(member)
      if (isLayer(member)) yield* member.#named(`${prefix}${name}.`, seen)
      else yield [`${prefix}${name}`, member]
    }
  }
}
