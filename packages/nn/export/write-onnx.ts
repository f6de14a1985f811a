import { oneFileBytes, toOnnx, toOnnxWithData } from '@enigma/tensor'
import { writeAtomic } from '@enigma/tensor/formats'
import type { Layer } from '../layer.js'
import { type ExportedOnnx, type ExportOptions, programForExport } from './export-onnx.js'

/**
 * Writes what `exportOnnx` makes, atomically; with external data the weights first, then the model that refers to them.
 * @throws TensorError DISK_FULL, NOT_WRITABLE, WRITE_FAILED, and as `exportOnnx`
 */
export async function writeOnnx(net: Layer, file: string, options: ExportOptions): Promise<Omit<ExportedOnnx, 'bytes'>> {
  const { program, settings, ...described } = programForExport(net, options)
  const weights = program.constants.reduce((sum, { data }) => sum + data.byteLength, 0)
  if (options.externalData ?? weights > oneFileBytes) {
    const { bytes, data } = toOnnxWithData(program, `${file.replace(/^.*[/\\]/, '')}.data`, settings)
    await writeAtomic(`${file}.data`, data)
    await writeAtomic(file, bytes)
  } else await writeAtomic(file, toOnnx(program, settings))
  return described
}
