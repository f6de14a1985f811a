import { fromOnnx, TensorError } from '@enigma/tensor'
import { readFile } from '@enigma/tensor/formats'
import { buffersKey } from './export-onnx.js'
import { OnnxNetwork } from './onnx-network.js'

/**
 * Reads a network that `toOnnx` wrote: a file's path, or its bytes.
 * @throws TensorError FILE_NOT_FOUND, FILE_CORRUPT, UNSUPPORTED_OP (a file of another program: its operators are listed)
 */
export async function importOnnx(source: string | Uint8Array): Promise<OnnxNetwork> {
  const { program, metadata } = fromOnnx(typeof source === 'string' ? await readFile(source) : source)
  return new OnnxNetwork(program, buffersOf(metadata[buffersKey]))
}

function buffersOf(text = '[]'): Set<string> {
  try {
    return new Set((JSON.parse(text) as unknown[]).map(String))
  } catch (cause) {
    throw new TensorError('FILE_CORRUPT', `The file names its buffers in a form nobody wrote: ${text.slice(0, 200)}`, { cause })
  }
}
