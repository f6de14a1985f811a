import type { KernelWorkers, SharedTensor } from '@enigma/tensor'
import { checkSettings } from './settings.js'

export interface ClipOptions {
  /** Largest global gradient norm; larger gradients are scaled down to it. Default: no clipping. */
  readonly clipNorm?: number
  /** Largest magnitude of an element of a gradient; larger ones become it, before the norm is clipped. Default: no clipping. */
  readonly clipValue?: number
}

/** @throws NnError INVALID_ARGUMENT for a limit that is not more than 0 */
export function checkClipping({ clipNorm = Number.POSITIVE_INFINITY, clipValue = Number.POSITIVE_INFINITY }: ClipOptions): void {
  checkSettings('gradient clipping', { limit: { clipNorm, clipValue } })
}

/**
 * Clips gradients by value in place (`torch.nn.utils.clip_grad_value_`) and returns the factor that clips them by norm
 * (`clip_grad_norm_`), for the optimizer to apply. `norm` is their global norm as they are.
 */
export async function clipGradients(
  workers: KernelWorkers,
  gradients: readonly SharedTensor[],
  norm: number,
  { clipNorm, clipValue }: ClipOptions,
): Promise<number> {
  if (clipValue !== undefined) await workers.clamp(gradients, clipValue)
  if (clipNorm === undefined) return 1
  const clipped = clipValue === undefined ? norm : Math.sqrt(await workers.sumOfSquares(gradients))
  return Math.min(1, clipNorm / (clipped + 1e-6))
}
