import type { DType, Shape } from '@enigma/tensor'
import { parse, stringify } from 'yaml'
import { NnError } from '../errors.js'
import type { UnaryLayer } from '../layer.js'
import { Sequential } from '../layers/sequential.js'
import type { ConfigValue, StageConfig } from '../registry/layer-config.js'
import type { LayerRegistry } from '../registry/layer-registry.js'
import { buildStages, type PipelineStage } from './build-stages.js'

/** A pipeline as data; as YAML it is a file that people write. */
export interface PipelineConfig {
  /** Default 'pipeline'. */
  readonly name?: string
  /** Shape of one sample, without the batch dimension. */
  readonly input: Shape
  /** What a sample holds. Default `f32`; `i64` for indices that an embedding takes. */
  readonly dtype?: DType
  /** Seed of the first weights. Default: other ones each time. */
  readonly seed?: number
  readonly layers: readonly StageConfig[]
}

/** What a pipeline is made of. */
export interface PipelineDefinition extends Omit<PipelineConfig, 'layers'> {
  readonly layers: readonly (StageConfig | UnaryLayer)[]
}

/** Layers by name, one after the other, every shape checked: what `PipelineBuilder` and configurations make. */
export class Pipeline extends Sequential {
  readonly name: string
  readonly stages: readonly PipelineStage[]
  readonly #definition: PipelineDefinition

  /** @throws NnError STAGE_FAILED naming the pipeline, the stage's index and type, and the shapes */
  constructor(definition: PipelineDefinition, registry: LayerRegistry) {
    const { name = 'pipeline', input, dtype = 'f32', seed, layers } = definition
    const building = { registry, place: `'${name}', stage `, ...(seed !== undefined && { seed }) }
    const stages = buildStages(layers, { shape: input, dtype }, building)
    super(...stages.map(({ layer }) => layer))
    this.name = name
    this.stages = stages
    this.#definition = definition
  }

  /** @throws NnError BAD_CONFIG when it is no pipeline; STAGE_FAILED */
  static fromConfig(config: PipelineConfig, registry: LayerRegistry): Pipeline {
    return new Pipeline(checkPipeline(config), registry)
  }

  /** @throws NnError BAD_CONFIG for what is no YAML or no pipeline; STAGE_FAILED */
  static fromYaml(text: string, registry: LayerRegistry): Pipeline {
    let config: unknown
    try {
      config = parse(text)
    } catch (error) {
      throw new NnError('BAD_CONFIG', `The pipeline is no YAML: ${(error as Error).message}`, { cause: error })
    }
    return new Pipeline(checkPipeline(config), registry)
  }

  /** Shape of one sample of what comes out, without the batch dimension. */
  get outputShape(): Shape {
    return this.stages.at(-1)?.output.shape ?? this.#definition.input
  }

  /**
   * What makes this pipeline again, every parameter written out. Weights are no part of it: `stateDict()` has them.
   * @throws NnError BAD_CONFIG when a layer was added as an object, which a configuration cannot name
   */
  toConfig(): PipelineConfig & { readonly name: string } {
    const { input, dtype, seed } = this.#definition
    const layers = this.stages.map(({ made, layer }, index): StageConfig => {
      if (!made)
        throw new NnError(
          'BAD_CONFIG',
          `Pipeline '${this.name}', stage ${index} (${layer.constructor.name}) was added as an object. Register its type and add it by name to write it down.`,
        )
      return { type: made.type, ...made.config }
    })
    return { name: this.name, input, ...(dtype && { dtype }), ...(seed !== undefined && { seed }), layers }
  }

  toYaml(): string {
    return stringify(this.toConfig())
  }

  /** The stages as a table: index, type, shape of what comes out, parameters. */
  describe(): string {
    const rows = this.stages.map(({ made, layer, output }, index) => [
      String(index),
      made?.type ?? layer.constructor.name,
      `[${output.shape.join(', ')}]`,
      layer.parameterCount().toLocaleString('en'),
    ])
    const table = [['', 'layer', 'output', 'parameters'], ...rows]
    const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column]!.length)))
    const lines = table.map((row) =>
      row
        .map((cell, column) => (column === 3 ? cell.padStart(widths[3]!) : cell.padEnd(widths[column]!)))
        .join('  ')
        .trimEnd(),
    )
    const { input } = this.#definition
    return [`${this.name}: [${input.join(', ')}] → [${this.outputShape.join(', ')}]`, ...lines].join('\n')
  }
}

/** A configuration from outside, checked as far as its outer form goes; the stages are checked when they are built. */
function checkPipeline(config: unknown): PipelineConfig {
  const fail = (problem: string) => new NnError('BAD_CONFIG', `The pipeline's configuration ${problem}`)
  if (typeof config !== 'object' || config === null || Array.isArray(config))
    throw fail('must hold `input` (the shape of a sample) and `layers` (a list).')
  const { input, layers, ...rest } = config as Record<string, ConfigValue>
  const isSize = (size: unknown) => typeof size === 'number' && Number.isInteger(size) && size >= 0
  if (!Array.isArray(input) || !input.every(isSize))
    throw fail(`needs \`input\`, the sizes of one sample such as [3, 224, 224], got ${JSON.stringify(input)}.`)
  if (!Array.isArray(layers)) throw fail(`needs \`layers\`, a list, got ${JSON.stringify(layers)}.`)
  const unknown = Object.keys(rest).filter((key) => !['name', 'dtype', 'seed'].includes(key))
  if (unknown.length > 0)
    throw fail(`has ${unknown.join(', ')}, which it does not know. It takes name, input, dtype, seed, layers.`)
  return config as PipelineConfig
}
