import type { DType, Shape } from '@enigma/tensor'
import type { UnaryLayer } from '../layer.js'
import { checkConfig, type LayerConfig, type StageConfig } from '../registry/layer-config.js'
import type { LayerRegistry } from '../registry/layer-registry.js'
import { Pipeline } from './pipeline.js'

export interface BuildOptions {
  /** Shape of one sample, without the batch dimension. */
  readonly input: Shape
  /** What a sample holds. Default `f32`. */
  readonly dtype?: DType
}

/**
 * Composes layers by name.
 *
 * ```ts
 * new PipelineBuilder(registry).withName('my_model').addLayer('linear', { outFeatures: 10 }).addLayer('relu').build({ input: [4] })
 * ```
 */
export class PipelineBuilder {
  readonly #registry: LayerRegistry
  readonly #stages: (StageConfig | UnaryLayer)[] = []
  #name = 'pipeline'
  #seed: number | undefined

  constructor(registry: LayerRegistry) {
    this.#registry = registry
  }

  withName(name: string): this {
    this.#name = name
    return this
  }

  /** Makes the first weights the same each time. */
  withSeed(seed: number): this {
    this.#seed = seed
    return this
  }

  /**
   * A layer by its type. Required sizes that the shape tells (`inFeatures`) may be left out.
   * @throws NnError LAYER_TYPE_UNKNOWN, BAD_CONFIG
   */
  addLayer(type: string, config: LayerConfig = {}): this {
    const { parameters } = this.#registry.getMetadata(type)
    if (parameters) checkConfig(type, parameters, config, { partial: true })
    this.#stages.push({ ...config, type })
    return this
  }

  /** A layer that you made. */
  add(layer: UnaryLayer): this {
    this.#stages.push(layer)
    return this
  }

  /** @throws NnError STAGE_FAILED naming the pipeline, the stage's index and type, and the shapes */
  build({ input, dtype }: BuildOptions): Pipeline {
    const definition = { name: this.#name, input, layers: [...this.#stages], ...(dtype && { dtype }) }
    return new Pipeline({ ...definition, ...(this.#seed !== undefined && { seed: this.#seed }) }, this.#registry)
  }
}
