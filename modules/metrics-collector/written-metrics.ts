import { readFile } from 'node:fs/promises'
import { isAlive } from '@enigma/files'
import { ModuleError } from '@enigma/kernel'
import { metricsFiles } from './metrics-collector.js'
import type { WrittenMetrics } from './types.js'

/** What a collector, of this process or another one, has last written; undefined when none has. */
export async function readWritten(): Promise<(WrittenMetrics & { readonly alive: boolean }) | undefined> {
  const { json } = metricsFiles()
  let text: string
  try {
    text = await readFile(json, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const written = JSON.parse(text) as WrittenMetrics
    if (Array.isArray(written.metrics) && Number.isInteger(written.pid)) return { ...written, alive: isAlive(written.pid) }
  } catch {
    // Said below.
  }
  throw new ModuleError('BAD_CONFIG', `${json} is damaged. Remove it; the collector writes it anew.`, {
    module: 'metrics-collector',
  })
}

export const nothingWritten = "No collector has written metrics here. Load the module 'metrics-collector'."
