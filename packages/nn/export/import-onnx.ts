import { fromOnnx, TensorError } from '@enigma/tensor'
import { readFile, readRange } from '@enigma/tensor/formats'
import { buffersKey } from './export-onnx.js'
import { OnnxNetwork } from './onnx-network.js'

/**
 * Reads a network that `toOnnx` wrote: a file's path, or its bytes.
 * @throws TensorError FILE_NOT_FOUND, FILE_CORRUPT, FILE_TRUNCATED, UNSUPPORTED_OP (a file of another program: its operators are listed)
 */
export async function importOnnx(source: string | Uint8Array): Promise<OnnxNetwork> {
  const { program, metadata } = typeof source === 'string' ? fromOnnx(await readFile(source), beside(source)) : fromOnnx(source)
  return new OnnxNetwork(program, buffersOf(metadata[buffersKey]))
}

/** Reads from files in the folder of `model`. */
const beside =
  (model: string) =>
  ({ location, offset, length }: { readonly location: string; readonly offset: number; readonly length: number }) =>
    readRange(`${model.replace(/[^/\\]*$/, '')}${location}`, offset, length)

function buffersOf(text = '[]'): Set<string> {
  try {
    return new Set((JSON.parse(text) as unknown[]).map(String))
  } catch (cause) {
    throw new TensorError('FILE_CORRUPT', `The file names its buffers in a form nobody wrote: ${text.slice(0, 200)}`, { cause })
  }
}
