import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { dtypes, type HostTensor, sizeOf, type TypedArray } from '@enigma/tensor'
import { NnError } from '../errors.js'

const readers = {
  8: { dtype: 'u8', bytes: 1, read: (view: DataView, offset: number) => view.getUint8(offset) },
  9: { dtype: 'i8', bytes: 1, read: (view: DataView, offset: number) => view.getInt8(offset) },
  12: { dtype: 'i32', bytes: 4, read: (view: DataView, offset: number) => view.getInt32(offset) },
  13: { dtype: 'f32', bytes: 4, read: (view: DataView, offset: number) => view.getFloat32(offset) },
} as const

/**
 * A tensor from a file in IDX format (LeCun's MNIST files), gzipped or not.
 * @throws NnError INVALID_ARGUMENT naming the file and what is wrong with it
 */
export async function readIdx(file: string | URL): Promise<HostTensor> {
  const wrong = (what: string, cause?: unknown) =>
    new NnError('INVALID_ARGUMENT', `${file} is no IDX file: ${what}.`, cause === undefined ? {} : { cause })
  let bytes = await readFile(file)
  if (bytes[0] === 0x1f && bytes[1] === 0x8b)
    bytes = await promisify(gunzip)(bytes).catch((cause) => {
      throw wrong('it cannot be unpacked', cause)
    })
  const rank = bytes[3] ?? 0
  const type = readers[bytes[2] as keyof typeof readers]
  if (bytes.length < 4 + 4 * rank || bytes[0] !== 0 || bytes[1] !== 0 || !type) throw wrong('its header is unknown')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis))
  const start = 4 + 4 * rank
  const size = sizeOf(shape)
  if (bytes.length - start !== size * type.bytes)
    throw wrong(`a tensor [${shape.join(', ')}] takes ${size * type.bytes} bytes, it holds ${bytes.length - start}`)
  const data = new dtypes[type.dtype].array(size)
  if (type.dtype === 'u8') data.set(bytes.subarray(start))
  else for (let i = 0; i < size; i++) data[i] = type.read(view, start + i * type.bytes)
  return { dtype: type.dtype, shape, data: data as TypedArray }
}
