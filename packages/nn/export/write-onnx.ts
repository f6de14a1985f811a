import { writeAtomic } from '@enigma/tensor/formats'
import type { Layer } from '../layer.js'
import { type ExportedOnnx, type ExportOptions, exportOnnx } from './export-onnx.js'

/** Writes what `exportOnnx` makes, atomically. @throws TensorError DISK_FULL, NOT_WRITABLE, WRITE_FAILED, and as `exportOnnx` */
export async function writeOnnx(net: Layer, file: string, options: ExportOptions): Promise<Omit<ExportedOnnx, 'bytes'>> {
  const { bytes, ...described } = exportOnnx(net, options)
  await writeAtomic(file, bytes)
  return described
}
