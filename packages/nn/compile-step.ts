import { assertConsistent, type HostTensor, type Tensor } from '@enigma/tensor'
import { NnError } from './errors.js'
import type { Layer } from './layer.js'
import { Parameter } from './parameter.js'
import { type StepResult, TrainingStep, type TrainingStepOptions } from './step.js'

/** Tensors of one batch by name; by default `x` goes into the network and `y` is the target. */
export type Batch = Readonly<Record<string, HostTensor>>
type Tensors = Readonly<Record<string, Tensor>>

/** A number to watch beside the loss: a scalar of the network's output and the target, traced into the same program. */
export type Metric = (output: Tensor, target: Tensor) => Tensor

export interface CompileStepOptions extends Omit<TrainingStepOptions<string>, 'parameters' | 'inputs' | 'loss' | 'variant'> {
  /** The scalar to lower: a function of output and target, such as those of `losses`. */
  readonly loss: (output: Tensor, target: Tensor) => Tensor
  readonly metrics?: Readonly<Record<string, Metric>>
  /** How a batch goes through the network. Default `({ x }) => net.forward(x)`. */
  readonly forward?: (batch: Tensors) => Tensor
  /** What of a batch the loss compares the output with. Default `({ y }) => y`. */
  readonly target?: (batch: Tensors) => Tensor
}

export interface BatchResult extends StepResult {
  readonly metrics: Readonly<Record<string, number>>
}

/** One update on one batch, compiled at the first batch of each shape. */
export interface CompiledStep {
  /** @param learningRate overrides the optimizer's */
  (batch: Batch, learningRate?: number): Promise<BatchResult>
  /** With `accumulate`: one update on several batches. */
  accumulated(batches: readonly Batch[], learningRate?: number): Promise<BatchResult>
  /** Compiles for batches like this one without an update, and returns the step behind: its state, counters and gradients. */
  prepare(batch: Batch): Promise<TrainingStep<string>>
  /** Frees native memory and threads. The network keeps its weights. */
  close(): Promise<void>
}

/** Shape and dtype of each tensor of a batch. */
export const specsOf = (batch: Batch) =>
  Object.fromEntries(Object.entries(batch).map(([name, { dtype, shape }]) => [name, { dtype, shape }]))

/** What else than shapes a traced network depends on: the mode of each layer, and which parameters are frozen. */
const variantOf = (net: Layer) =>
  [
    ...[...net.namedLayers()].map(([, { training }]) => Number(training)),
    ...net.parameters().map(({ requiresGrad }) => Number(requiresGrad)),
  ].join('')

/** @throws NnError INVALID_ARGUMENT when the loss trains a parameter that no field of the network leads to */
function assertFound(net: Layer, { builder }: Tensor): void {
  const found = new Set(net.parameters())
  const lost = builder
    .captured()
    .find(({ source }) => source instanceof Parameter && source.requiresGrad && !found.has(source))?.source
  if (lost)
    throw new NnError(
      'INVALID_ARGUMENT',
      `The loss uses a parameter [${lost.shape.join(', ')}] that is in no field of the network (arrays and plain objects are looked into), so it would not be trained or saved. Put it into a field, or freeze it if it belongs to another network.`,
    )
}

/** Output, loss and metrics of a batch, as training and validation both trace them. */
export function traceBatch(
  net: Layer,
  batch: Tensors,
  { loss, metrics = {}, forward, target }: Pick<CompileStepOptions, 'loss' | 'metrics' | 'forward' | 'target'>,
): { readonly loss: Tensor } & Readonly<Record<string, Tensor>> {
  const output = forward ? forward(batch) : (net.forward.bind(net) as (x: Tensor) => Tensor)(need(batch, 'x'))
  const wanted = target ? target(batch) : need(batch, 'y')
  const named = Object.entries(metrics).map(([name, metric]) => [`metric.${name}`, metric(output, wanted)] as const)
  return { loss: loss(output, wanted), ...Object.fromEntries(named) }
}

function need(batch: Tensors, name: 'x' | 'y'): Tensor {
  const tensor = batch[name]
  if (tensor) return tensor
  const option = name === 'x' ? 'forward' : 'target'
  throw new NnError(
    'INVALID_ARGUMENT',
    `A batch of ${Object.keys(batch).join(', ')} has no '${name}'. Name it so, or give the option '${option}'.`,
  )
}

/** Values of traced metrics by their own names. */
export function metricsOf(outputs: Readonly<Record<string, HostTensor>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(outputs).flatMap(([name, { data }]) =>
      name.startsWith('metric.') ? [[name.slice('metric.'.length), Number(data[0])] as const] : [],
    ),
  )
}

/** @throws NnError INVALID_ARGUMENT for what is no function or optimizer */
function checkOptions({ loss, optimizer }: CompileStepOptions): void {
  if (typeof loss !== 'function')
    throw new NnError('INVALID_ARGUMENT', `loss must be a function of output and target, such as losses.mse; got ${typeof loss}.`)
  const all = Array.isArray(optimizer) ? optimizer.map((group) => group?.optimizer) : [optimizer]
  if (all.some((one) => typeof one?.update !== 'function'))
    throw new NnError('INVALID_ARGUMENT', 'optimizer must be one, such as optim.adamw(), or a list of { parameters, optimizer }.')
}

export function compileStep(net: Layer, options: CompileStepOptions): CompiledStep {
  checkOptions(options)
  let compiling: Promise<TrainingStep<string>> | undefined
  const prepare = async (batch: Batch) => {
    for (const [name, tensor] of Object.entries(batch))
      if (!Array.isArray(tensor?.shape) || tensor.data === undefined)
        throw new NnError('INVALID_ARGUMENT', `'${name}' of the batch is no tensor { dtype, shape, data }.`)
    const inputs = specsOf(batch)
    compiling ??= TrainingStep.compile<string>({
      device: net.device,
      ...options,
      parameters: net.namedParameters(),
      inputs,
      variant: variantOf(net),
      loss: (tensors) => {
        const traced = traceBatch(net, tensors, options)
        assertFound(net, traced.loss)
        return traced
      },
    }).catch((error) => {
      compiling = undefined
      throw error
    })
    const step = await compiling
    await step.reshape(inputs, variantOf(net))
    return step
  }
  const accumulated = async (batches: readonly Batch[], learningRate?: number): Promise<BatchResult> => {
    const [first] = batches
    const wanted = options.accumulate ?? 1
    if (!first || batches.length !== wanted)
      throw new NnError('INVALID_ARGUMENT', `This step takes ${wanted} batches for an update, got ${batches.length}.`)
    const step = await prepare(first)
    for (const batch of batches) for (const [name, tensor] of Object.entries(batch)) assertConsistent(name, tensor)
    const sums: Record<string, number> = {}
    const collect = () => {
      for (const [name, value] of Object.entries(metricsOf(step.outputs))) sums[name] = (sums[name] ?? 0) + value / wanted
    }
    const fill = async (index: number) => {
      const batch = batches[index]!
      if (index > 0) {
        collect()
        await prepare(batch)
      }
      for (const [name, { data }] of Object.entries(batch))
        (step.inputs[name]!.data as { set(values: typeof data): void }).set(data)
    }
    const result = await step.step(fill, learningRate)
    collect()
    return { ...result, metrics: sums }
  }
  const run = (batch: Batch, learningRate?: number) => accumulated([batch], learningRate)
  const close = async () => {
    const step = await compiling?.catch(() => undefined)
    await step?.close()
  }
  return Object.assign(run, { accumulated, prepare, close })
}
