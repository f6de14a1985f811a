import type { HostTensor, TypedArray } from '@enigma/tensor'
import type { LayerBuffer } from './layer-buffer.js'

type AnyBuffer = LayerBuffer<'f32' | 'i64'>

const setNumbers = (buffer: AnyBuffer, numbers: TypedArray) => (buffer.data as { set(values: TypedArray): void }).set(numbers)

/** New numbers for buffers that can be taken back: a running mean must not keep a batch that has taught nothing. */
export class KeptBuffers {
  readonly #before = new Map<AnyBuffer, TypedArray>()

  set(buffer: AnyBuffer, { data }: HostTensor): void {
    if (!this.#before.has(buffer)) this.#before.set(buffer, buffer.data.slice())
    setNumbers(buffer, data)
  }

  restore(): void {
    for (const [buffer, numbers] of this.#before) setNumbers(buffer, numbers)
  }
}
