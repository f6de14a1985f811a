import { NnError, type NnErrorCode } from '../errors.js'
import { Layer, type UnaryLayer } from '../layer.js'
import { Sequential } from '../layers/sequential.js'
import { checkConfig, type LayerConfig, type LayerParameters, type StageConfig } from './layer-config.js'
import {
  type FactoryContext,
  type LayerCategory,
  type LayerFactory,
  type LayerMetadata,
  layerCategories,
} from './layer-metadata.js'
import { canonical, didYouMean } from './names.js'
import { readStage } from './read-stage.js'

/** A layer type that can be registered: what it is, and how one is made. */
export interface LayerType {
  readonly metadata: LayerMetadata
  /** Makes one from a configuration that fits `metadata.parameters`. */
  make(config: LayerConfig, context: FactoryContext): UnaryLayer
}

/** Ties a factory to its metadata, so that the compiler knows what the checked configuration holds. */
export function layerType<const P extends LayerParameters | undefined = undefined>(
  metadata: LayerMetadata<P>,
  factory: LayerFactory<P>,
): LayerType {
  const { parameters } = metadata
  return {
    metadata,
    make(config, context) {
      const checked = parameters ? checkConfig(metadata.type, parameters, config) : config
      return factory(checked as Parameters<typeof factory>[0], context)
    },
  }
}

export interface LayerRegistryOptions {
  /** Called after a type was registered or removed, for those who tell others of it. */
  readonly onChange?: (change: { readonly kind: 'registered' | 'unregistered'; readonly metadata: LayerMetadata }) => void
}

/**
 * The layer types that configurations can name. Each registry is an object of its own: what one program registers, another does
 * not see. `builtinLayers()` gives one with all layers of this package.
 */
export class LayerRegistry {
  readonly #types = new Map<string, LayerType>()
  readonly #onChange: LayerRegistryOptions['onChange']

  constructor({ onChange }: LayerRegistryOptions = {}) {
    this.#onChange = onChange
  }

  /**
   * Adds a layer type. Returns what removes it again.
   * @throws NnError BAD_CONFIG for an empty type or a category that is none; LAYER_TYPE_TAKEN
   */
  register<const P extends LayerParameters | undefined = undefined>(
    metadata: LayerMetadata<P>,
    factory: LayerFactory<P>,
  ): () => void {
    return this.add(layerType(metadata, factory))
  }

  /** As `register`, of a type that `layerType` made. */
  add(added: LayerType): () => void {
    const { metadata } = added
    const { type, category, aliases = [] } = metadata
    if (canonical(type) === '') throw new NnError('BAD_CONFIG', 'A layer type needs a name that is not empty.')
    if (!layerCategories.some((known) => known === category) && !/^Custom\(.+\)$/.test(category))
      throw new NnError(
        'BAD_CONFIG',
        `Layer type '${type}' has the category '${category}'. There are ${layerCategories.join(', ')} and Custom(<name>).`,
      )
    const names = [type, ...aliases].map(canonical)
    for (const name of names) {
      const other = this.#types.get(name)
      if (other)
        throw new NnError(
          'LAYER_TYPE_TAKEN',
          `Layer type '${type}' is already registered (${other.metadata.displayName}). Unregister that one first, or choose another name.`,
        )
    }
    for (const name of names) this.#types.set(name, added)
    this.#onChange?.({ kind: 'registered', metadata })
    return () => {
      if (this.#types.get(names[0]!) === added) this.unregister(type)
    }
  }

  /** Removes a type. Layers made of it live on. @returns whether there was one */
  unregister(type: string): boolean {
    const found = this.#types.get(canonical(type))
    if (!found) return false
    for (const [name, one] of this.#types) if (one === found) this.#types.delete(name)
    this.#onChange?.({ kind: 'unregistered', metadata: found.metadata })
    return true
  }

  has(type: string): boolean {
    return this.#types.has(canonical(type))
  }

  /**
   * Makes a layer. Values that are strings are converted to what the parameters want.
   * @throws NnError LAYER_TYPE_UNKNOWN, BAD_CONFIG; LAYER_FAILED when the factory throws or makes no layer, with its cause
   */
  create(type: string, config: LayerConfig = {}, context: Partial<FactoryContext> = {}): UnaryLayer {
    const found = this.#find(type)
    let layer: UnaryLayer
    try {
      layer = found.make(config, { build: (stages, name) => this.#chain(found.metadata.type, stages, name), ...context })
    } catch (error) {
      if (error instanceof NnError && namesItsLayer.has(error.code)) throw error
      throw new NnError('LAYER_FAILED', `Layer '${type}' could not be made: ${messageOf(error)}`, { cause: error })
    }
    if (!(layer instanceof Layer))
      throw new NnError('LAYER_FAILED', `The factory of '${type}' made no layer. It must return an instance of Layer.`)
    return layer
  }

  /** @throws NnError LAYER_TYPE_UNKNOWN */
  getMetadata(type: string): LayerMetadata {
    return this.#find(type).metadata
  }

  /** All types, sorted by name. */
  listLayers(): LayerMetadata[] {
    return [...new Set(this.#types.values())].map(({ metadata }) => metadata).sort((a, b) => (a.type < b.type ? -1 : 1))
  }

  /** The types of one category, sorted by name. */
  findByCategory(category: LayerCategory): LayerMetadata[] {
    return this.listLayers().filter((metadata) => metadata.category === category)
  }

  #find(type: string): LayerType {
    const found = this.#types.get(canonical(type))
    if (!found) {
      const names = this.listLayers().map((metadata) => metadata.type)
      throw new NnError(
        'LAYER_TYPE_UNKNOWN',
        `Layer type '${type}' is not registered.${didYouMean(type, names) || ` There are: ${names.join(', ') || 'none'}.`}`,
      )
    }
    return found
  }

  /** Stages made one after the other, without a look at shapes. */
  #chain(owner: string, stages: readonly StageConfig[], name: string): UnaryLayer {
    const layers = stages.map((stage, index) => {
      const { type, config } = readStage(stage, this, `${owner}.${name}.${index}`)
      return this.create(type, config)
    })
    return new Sequential(...layers)
  }
}

/** Errors that say already which layer they are about. */
const namesItsLayer: ReadonlySet<NnErrorCode> = new Set(['BAD_CONFIG', 'LAYER_TYPE_UNKNOWN', 'LAYER_FAILED', 'STAGE_FAILED'])

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
