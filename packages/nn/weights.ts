import { openTensors, type SafetensorsOptions, writeSafetensors } from '@enigma/tensor/formats'
import type { Layer, StateDict } from './layer.js'

/**
 * Writes a network's parameters and buffers as a safetensors file under their names in `stateDict`, atomically; Python's
 * `safetensors.torch.load_file` gives the same dictionary.
 * @throws TensorError TENSOR_OVERFLOW when a number does not fit `options.dtype`; DISK_FULL, NOT_WRITABLE, WRITE_FAILED
 */
export async function saveWeights(net: Layer, file: string, options: SafetensorsOptions = {}): Promise<void> {
  await writeSafetensors(file, net.stateDict(), options)
}

/**
 * Copies weights from a safetensors file, an index of shards, or a folder that holds `model.safetensors`; f16 and bf16 become
 * f32. Nothing is changed unless everything fits.
 * @param options `strict: false` leaves out what only one side has
 * @throws NnError STATE_MISMATCH; TensorError FILE_NOT_FOUND, FILE_CORRUPT, FILE_TRUNCATED, TENSOR_UNSUPPORTED
 */
export async function loadWeights(net: Layer, file: string, { strict = true }: { strict?: boolean } = {}): Promise<void> {
  await using reader = await openTensors(file)
  const own = net.stateDict()
  const state: StateDict = {}
  for (const name of reader.tensors.keys()) if (strict || name in own) state[name] = await reader.readHost(name)
  net.loadStateDict(state, { strict })
}
