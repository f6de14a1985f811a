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

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`

/**
 * Refuses to train what cannot fit, before it drags the machine down.
 * @throws LmError OUT_OF_MEMORY with the numbers and the largest preset that fits
 */
export function checkMemory(
  config: ModelConfig,
  { batch, sequence, recompute = false }: { batch: number; sequence: number; recompute?: boolean },
  available = memoryLimit(),
): void {
  const { parameters, training } = memoryEstimate(config, { batch, sequence, recompute })
  if (training.total <= available) return
  const rows = presetTable({ memoryBytes: available, vocabSize: config.vocabSize, batch, sequence })
  const largest = rows.filter(({ fits }) => fits.training).at(-1)
  const smaller = largest ? `The largest size that fits is ${largest.name}` : 'Lower --batch or --sequence'
  const lean = !recompute && memoryEstimate(config, { batch, sequence, recompute: true }).training.total <= available
  const fix = lean ? 'It fits with --recompute, for one more forward pass a step' : smaller
  throw new LmError(
    'OUT_OF_MEMORY',
    `Training ${parameters.toLocaleString('en-US')} parameters with batches of ${batch} × ${sequence} tokens needs about ${gigabytes(training.total)} of memory; there are ${gigabytes(available)}. ${fix}.`,
  )
}
