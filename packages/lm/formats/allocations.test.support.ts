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
  const globals = globalThis as unknown as Record<string, new (...values: unknown[]) => object>
  const originals = NAMES.map((name) => [name, globals[name]!] as const)
  for (const [name, original] of originals) {
    const width = (original as unknown as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1
    globals[name] = new Proxy(original, {
      construct(target, values, newTarget) {
        const [count] = values as unknown[]
        if (typeof count === 'number') bytes = Math.max(bytes, width * count)
        return Reflect.construct(target, values, newTarget) as object
      },
    })
  }
  try {
    await run()
    return { bytes, error: undefined }
  } catch (error) {
    return { bytes, error }
  } finally {
    for (const [name, original] of originals) globals[name] = original
  }
}
