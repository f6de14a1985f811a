import { totalmem } from 'node:os'
import type { ModelConfig } from '../config.js'
import { LmError } from '../errors.js'
import { memoryEstimate } from '../memory.js'
import { presetTable } from '../presets.js'

/** Bytes this process may have: the machine's memory, or a container's limit where that is less. */
function memoryLimit(): number {
  const limit = process.constrainedMemory()
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem()
}

const count = (value: number) => value.toLocaleString('en-US')
const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`

/**
 * Refuses to train what cannot fit, before it drags the machine down.
 * @throws LmError OUT_OF_MEMORY with the numbers and the largest preset that fits
 */
export function checkMemory(
  config: ModelConfig,
  {
    batch,
    sequence,
    recompute = false,
    adapters = 0,
  }: { batch: number; sequence: number; recompute?: boolean; adapters?: number },
  available = memoryLimit(),
): void {
  const { parameters, training } = memoryEstimate(config, { batch, sequence, recompute, adapters })
  if (training.total <= available) return
  const rows = presetTable({ memoryBytes: available, vocabSize: config.vocabSize, batch, sequence })
  // Adapters go on a model that is there: its size is not to be chosen.
  const largest = adapters > 0 ? undefined : rows.filter(({ fits }) => fits.training).at(-1)
  const smaller = largest ? `The largest size that fits is ${largest.name}` : 'Lower --batch or --sequence'
  const lean = !recompute && memoryEstimate(config, { batch, sequence, recompute: true, adapters }).training.total <= available
  const fix = lean ? 'It fits with --recompute, for one more forward pass a step' : smaller
  throw new LmError(
    'OUT_OF_MEMORY',
    `Training ${count(adapters || parameters)} parameters${adapters > 0 ? ` beside ${count(parameters)} that stay` : ''} with batches of ${batch} × ${sequence} tokens needs about ${gigabytes(training.total)} of memory; there are ${gigabytes(available)}. ${fix}.`,
  )
}
