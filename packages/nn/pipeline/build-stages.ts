import type { DType, Shape } from '@enigma/tensor'
import { NnError } from '../errors.js'
import { childSeed } from '../init/index.js'
import { Layer, type UnaryLayer } from '../layer.js'
import { Sequential } from '../layers/sequential.js'
import { checkConfig, type LayerConfig, type StageConfig } from '../registry/layer-config.js'
import type { LayerMetadata } from '../registry/layer-metadata.js'
import { type LayerRegistry, messageOf } from '../registry/layer-registry.js'
import { readStage } from '../registry/read-stage.js'
import { fits, namesOf, showPattern } from '../registry/shape-pattern.js'
import { traceNetwork } from '../trace-network.js'

/** What flows between stages: the shape of one sample, without the batch dimension. */
export interface SampleType {
  readonly shape: Shape
  readonly dtype: DType
}

/** A stage of a built pipeline. */
export interface PipelineStage {
  readonly layer: UnaryLayer
  readonly input: SampleType
  readonly output: SampleType
  /** How it was made; absent for a layer that was added as an object. */
  readonly made?: { readonly type: string; readonly config: LayerConfig }
}

interface Building {
  readonly registry: LayerRegistry
  /** Name of the pipeline and, within stages made of stages, of the place: `'net', stage 1.layers.`. */
  readonly place: string
  readonly seed?: number
}

/** The batch that shapes are traced with. Any number will do; it is shown as `batch`. */
const batch = 2

const show = (shape: Shape) => `[${['batch', ...shape].join(', ')}]`

/**
 * Makes the layers of a pipeline one by one and traces each with the shape that the one before it gives.
 * @throws NnError STAGE_FAILED naming the stage's index, type, shapes and what is wrong, with its cause
 */
export function buildStages(
  stages: readonly (StageConfig | UnaryLayer)[],
  input: SampleType,
  building: Building,
): PipelineStage[] {
  const built: PipelineStage[] = []
  for (const [index, stage] of stages.entries()) {
    const given = built.at(-1)?.output ?? input
    try {
      built.push(buildStage(stage, given, index, building))
    } catch (error) {
      if (error instanceof NnError && error.code === 'STAGE_FAILED') throw error
      const type = stage instanceof Layer ? stage.constructor.name : nameOf(stage)
      throw new NnError(
        'STAGE_FAILED',
        `Pipeline ${building.place}${index} (${type}), which is given ${show(given.shape)}: ${messageOf(error)}`,
        { cause: error },
      )
    }
  }
  return built
}

/** What a stage calls its type; the configuration may come from a file, so anything may stand there. */
function nameOf(stage: StageConfig): string {
  if (typeof stage !== 'object' || stage === null) return String(stage)
  return typeof stage.type === 'string' ? stage.type : Object.keys(stage).join(', ')
}

function buildStage(
  stage: StageConfig | UnaryLayer,
  input: SampleType,
  index: number,
  { registry, place, seed }: Building,
): PipelineStage {
  if (stage instanceof Layer) return { layer: stage, input, output: trace(stage, input) }
  const { type, config } = readStage(stage, registry, `${place}${index}`)
  const metadata = registry.getMetadata(type)
  const whole = complete(metadata, config, input.shape)
  if (metadata.inputShape && !fits(metadata.inputShape, input.shape, whole))
    throw new NnError(
      'SHAPE_MISMATCH',
      `it takes samples of ${showPattern(metadata.inputShape, whole)}. Change its parameters, or the stage before it.`,
    )
  const stageSeed = childSeed(seed, index)
  const seeded = typeof stageSeed === 'number' && metadata.parameters?.seed && whole.seed === undefined ? { seed: stageSeed } : {}
  const layer = registry.create(
    type,
    { ...whole, ...seeded },
    {
      inputShape: [batch, ...input.shape],
      build: (inner, name) => {
        const parts = buildStages(inner, input, {
          registry,
          place: `${place}${index}.${name}.`,
          ...(typeof stageSeed === 'number' && { seed: stageSeed }),
        })
        return new Sequential(...parts.map((part) => part.layer))
      },
    },
  )
  const output = trace(layer, input)
  if (metadata.outputShape && !fits(metadata.outputShape, output.shape, whole))
    throw new NnError(
      'SHAPE_MISMATCH',
      `it says that it gives ${showPattern(metadata.outputShape, whole)}, and gives [${output.shape.join(', ')}]. Correct its metadata or the layer.`,
    )
  return { layer, input, output, made: { type, config: whole } }
}

/** The checked configuration, with required sizes that are missing taken from the shape. */
function complete({ type, parameters, inputShape }: LayerMetadata, config: LayerConfig, sample: Shape): LayerConfig {
  if (!parameters) return config
  const partial = checkConfig(type, parameters, config, { partial: true })
  const sizes = inputShape ? namesOf(inputShape, sample) : {}
  const found = Object.entries(parameters).flatMap(([name, { required }]) =>
    required && !(name in partial) && sizes[name] !== undefined ? [[name, sizes[name]] as const] : [],
  )
  return checkConfig(type, parameters, { ...partial, ...Object.fromEntries(found) })
}

/** What a layer makes of such samples. */
function trace(layer: UnaryLayer, { shape, dtype }: SampleType): SampleType {
  const { program } = traceNetwork({ x: { shape: [batch, ...shape], dtype } }, ({ x }) => ({ y: layer.forward(x) }))
  const y = program.values[program.outputs.find(({ name }) => name === 'y')!.value]!
  const [first, ...sample] = y.shape as Shape
  if (first !== batch)
    throw new NnError(
      'SHAPE_MISMATCH',
      `it gives [${y.shape.join(', ')}] for a batch of ${batch}: the first dimension must stay the batch.`,
    )
  return { shape: sample, dtype: y.dtype }
}
