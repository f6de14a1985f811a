import { dtypes, sizeOf } from '../dtype.js'
import type { OnnxInitializer } from './protobuf.js'

/** Where a constant lies that is not in the model: bytes of a file beside it (`data_location` EXTERNAL). */
export interface ExternalPlace {
  /** The file's name, without a folder. */
  readonly location: string
  readonly offset: number
  readonly length: number
}

/** Constants begin at pages, so that runtimes can map them. */
const pageBytes = 4096
/** Smaller ones stay in the model, where shapes and axes must be. */
const leastBytes = 1024
/** Files take less than 2 GiB at once. */
const pieceBytes = 2 ** 28

export const bytesOf = ({ shape, dtype }: Pick<OnnxInitializer, 'shape' | 'dtype'>): number => sizeOf(shape) * dtypes[dtype].bytes

const pageAfter = (offset: number) => Math.ceil(offset / pageBytes) * pageBytes

/** A place for each constant worth one, by its name, in order. */
export function placesOf(initializers: readonly OnnxInitializer[], location: string): Map<string, ExternalPlace> {
  const places = new Map<string, ExternalPlace>()
  let end = 0
  for (const initializer of initializers) {
    const length = bytesOf(initializer)
    if (length < leastBytes) continue
    const offset = pageAfter(end)
    places.set(initializer.name, { location, offset, length })
    end = offset + length
  }
  return places
}

/** The contents of the file that these places are in. */
export function* contentOf(initializers: readonly OnnxInitializer[], places: ReadonlyMap<string, ExternalPlace>) {
  let end = 0
  for (const { name, data } of initializers) {
    const place = places.get(name)
    if (!place) continue
    if (place.offset > end) yield new Uint8Array(place.offset - end)
    const { buffer, byteOffset, byteLength } = data()
    for (let at = 0; at < byteLength; at += pieceBytes)
      yield new Uint8Array(buffer, byteOffset + at, Math.min(pieceBytes, byteLength - at))
    end = place.offset + place.length
  }
}
