import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { oneLine } from './errors.js'
import { modelFolder } from './find-model.js'
import { folders } from './folders.js'
import { bytes } from './output/format.js'
import type { Output } from './output/output.js'
import { openManager } from './session.js'

/** One thing that was looked at. */
interface Finding {
  readonly what: string
  readonly status: 'fine' | 'doubtful' | 'broken'
  readonly found: string
  /** What to do; absent where nothing is to do. */
  readonly fix?: string
}

/** Less memory or disk than this is too little for the model that ships, and for a small training. In bytes. */
const enough = { ram: 400e6, disk: 500e6 }
const shipped = 'storyteller'

/** Looks at everything that Enigma needs, one after another; an examination that throws is a finding. */
export async function examine(out: Output): Promise<Finding[]> {
  const examinations: readonly [string, string, () => Promise<Omit<Finding, 'what'>>][] = [
    ['Node', 'Install Node 20.19 or later', async () => fine(process.versions.node)],
    ['native library', 'Run: npm ci', nativeLibrary],
    ['modules', 'Run: npm run build, then: enigma modules check', () => modules(out)],
    ['shipped model', 'Restore the folder models/storyteller (git checkout -- models), or install Enigma again', shippedModel],
    ['memory', 'Close other programs', () => memory(out)],
    ['disk', 'Free some space', () => disk(out)],
    ['home folder', 'Make it writable, or set ENIGMA_HOME to a folder that is', homeFolder],
  ]
  const findings: Finding[] = []
  for (const [what, fix, look] of examinations) {
    try {
      findings.push({ what, ...(await look()) })
    } catch (error) {
      findings.push({ what, status: 'broken', found: oneLine(error instanceof Error ? error.message : String(error)), fix })
    }
  }
  return findings
}

function fine(found: string): Omit<Finding, 'what'> {
  return { status: 'fine', found }
}

async function nativeLibrary(): Promise<Omit<Finding, 'what'>> {
  const { nativeRuntime } = await import('enigma')
  await nativeRuntime()
  return fine('ONNX Runtime loads')
}

async function modules(out: Output): Promise<Omit<Finding, 'what'>> {
  const { builtinModules, checkModules } = await import('enigma')
  const problems = await checkModules(builtinModules())
  if (problems.length > 0) throw new Error(problems.map(({ module, message }) => `${module}: ${message}`).join('; '))
  await using manager = await openManager(out)
  return fine(
    manager
      .listModules()
      .map(({ id }) => id)
      .join(', '),
  )
}

async function shippedModel(): Promise<Omit<Finding, 'what'>> {
  const { openModelFolder } = await import('enigma')
  await using opened = await openModelFolder(await modelFolder(shipped))
  return fine(`${opened.folder}, files as their hashes say`)
}

async function memory(out: Output): Promise<Omit<Finding, 'what'>> {
  await using manager = await openManager(out)
  const { ramFree, ramTotal } = manager.hardwareProfile
  const found = `${bytes(ramFree)} free of ${bytes(ramTotal)}`
  return ramFree >= enough.ram
    ? fine(found)
    : { status: 'doubtful', found, fix: `Close other programs: ${bytes(enough.ram)} are wanted` }
}

async function disk(out: Output): Promise<Omit<Finding, 'what'>> {
  await using manager = await openManager(out)
  const { diskFree } = manager.hardwareProfile
  const found = `${bytes(diskFree)} free`
  return diskFree >= enough.disk
    ? fine(found)
    : { status: 'doubtful', found, fix: `Free some space: training wants ${bytes(enough.disk)}` }
}

async function homeFolder(): Promise<Omit<Finding, 'what'>> {
  const { config, data } = folders()
  for (const folder of new Set([config, data])) {
    const probe = join(folder, `.doctor-${process.pid}`)
    await mkdir(folder, { recursive: true })
    await writeFile(probe, '')
    await rm(probe)
  }
  return fine([...new Set([config, data])].join(', '))
}
