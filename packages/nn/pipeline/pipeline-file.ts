import { openTensors, type SafetensorsOptions, writeSafetensors } from '@enigma/tensor/formats'
import { NnError } from '../errors.js'
import type { LayerRegistry } from '../registry/layer-registry.js'
import { loadWeights } from '../weights.js'
import { Pipeline } from './pipeline.js'

/** Where the configuration stands among a safetensors file's metadata. */
const key = 'pipeline'

/**
 * Writes a pipeline as one safetensors file, atomically: its weights, and its configuration as YAML in the metadata.
 * @throws NnError BAD_CONFIG when a layer was added as an object; TensorError DISK_FULL, NOT_WRITABLE, WRITE_FAILED
 */
export async function savePipeline(pipeline: Pipeline, file: string, options: SafetensorsOptions = {}): Promise<void> {
  const metadata = { format: 'pt', ...options.metadata, [key]: pipeline.toYaml() }
  await writeSafetensors(file, pipeline.stateDict(), { ...options, metadata })
}

/**
 * Reads a pipeline that `savePipeline` wrote; `registry` must know its layer types.
 * @throws NnError BAD_CONFIG, STAGE_FAILED, STATE_MISMATCH; TensorError FILE_NOT_FOUND, FILE_CORRUPT, FILE_TRUNCATED
 */
export async function loadPipeline(file: string, registry: LayerRegistry): Promise<Pipeline> {
  const pipeline = Pipeline.fromYaml(await readConfig(file), registry)
  await loadWeights(pipeline, file)
  return pipeline
}

async function readConfig(file: string): Promise<string> {
  await using reader = await openTensors(file)
  const config = reader.metadata[key]
  if (config === undefined)
    throw new NnError('BAD_CONFIG', `${file} holds weights but no pipeline. Build the network yourself and use loadWeights.`)
  return config
}
