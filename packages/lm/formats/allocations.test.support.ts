const NAMES = [
  'ArrayBuffer',
  'SharedArrayBuffer',
  'Uint8Array',
  'Int8Array',
  'Uint16Array',
  'Int16Array',
  'Uint32Array',
  'Int32Array',
  'Float32Array',
  'Float64Array',
  'BigUint64Array',
  'BigInt64Array',
] as const

/**
 * Runs and watches which buffers are made by number of elements meanwhile: the bytes of the largest, and what was thrown. Nothing else
 * may run beside it: it takes the place of the global constructors.
 */
export async function largestAllocation(run: () => Promise<unknown>): Promise<{ bytes: number; error: unknown }> {
  let bytes = 0
  const originals = NAMES.map((name) => [name, globalThis[name]] as const)
  for (const [name, original] of originals) {
    const width = 'BYTES_PER_ELEMENT' in original ? original.BYTES_PER_ELEMENT : 1
    const watched = new Proxy(original, {
      construct(target, values: unknown[], newTarget) {
        const [count] = values
        if (typeof count === 'number') bytes = Math.max(bytes, width * count)
        return Reflect.construct(target, values, newTarget) as object
      },
    })
    Object.assign(globalThis, { [name]: watched })
  }
  try {
    await run()
    return { bytes, error: undefined }
  } catch (error) {
    return { bytes, error }
  } finally {
    Object.assign(globalThis, Object.fromEntries(originals))
  }
}
