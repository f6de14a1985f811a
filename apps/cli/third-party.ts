import { createInterface } from 'node:readline/promises'
import type { ModuleInstaller, StagedModule } from 'enigma'
import { CliError, exitCodes } from './errors.js'
import { Interrupt } from './interrupt.js'
import { bytes } from './output/format.js'
import { type Output, visible } from './output/output.js'

// What `modules add` and `modules update` share: fetch, show, ask, install.

export interface ConsentFlags {
  readonly yes?: boolean
  readonly trust?: boolean
  readonly offline?: boolean
}

export const consentOptions = [
  { flags: '-y, --yes', text: 'agree to what it asks for, without being asked' },
  { flags: '--trust', text: 'let it run inside Enigma, where nothing holds it to its permissions' },
  { flags: '--offline', text: "take packages from npm's cache only" },
] as const

export type Outcome = { readonly id: string; readonly version: string; readonly result: 'installed' | 'refused' | 'unchanged' }

/** Fetches with progress; Ctrl-C stops it. */
export async function fetching<T>(
  what: string,
  out: Output,
  fetch: (options: { signal: AbortSignal; onLine: (line: string) => void }) => Promise<T>,
): Promise<T> {
  using interrupt = new Interrupt()
  out.progress(`Fetching ${what} …`)
  try {
    return await fetch({
      signal: interrupt.signal,
      onLine: (line) => out.progress(`Fetching ${what}: ${visible(line.replace(/^npm \w+ /, ''))}`),
    })
  } finally {
    out.clearProgress()
  }
}

/**
 * Shows what was fetched, asks where there is something to agree to, and installs it or not.
 * @throws CliError `USAGE` when nobody can be asked
 */
export async function askAndInstall(staged: StagedModule, { yes, trust }: ConsentFlags, out: Output): Promise<Outcome> {
  await using fetched = staged
  const { manifest, before, growth, unchanged } = fetched
  const { id, version } = manifest
  if (unchanged) return { id, version, result: 'unchanged' }
  out.note(await portrait(fetched, trust ?? fetched.before?.trusted ?? false, out))
  const newlyTrusted = trust === true && before?.trusted !== true
  const toAgree = before === undefined || growth.length > 0 || newlyTrusted
  if (toAgree && !yes && !(await agreed(fetched, out))) return { id, version, result: 'refused' }
  await fetched.install()
  return { id, version, result: 'installed' }
}

export function exitCodeOf(outcomes: readonly Outcome[]): number {
  return outcomes.some(({ result }) => result === 'refused') ? exitCodes.failure : exitCodes.ok
}

async function agreed({ manifest, before }: StagedModule, out: Output): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY || out.json) {
    const message = `Nothing was installed: nobody is there to agree to what '${manifest.id}' asks for. Add --yes if you do.`
    throw new CliError('USAGE', message)
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  const gone = new AbortController()
  // Ctrl-C and Ctrl-D are a no.
  lines.once('SIGINT', () => gone.abort()).once('close', () => gone.abort())
  try {
    const question = before === undefined ? 'Add it?' : 'Update it?'
    const answer = await lines.question(`${question} [y/N] `, { signal: gone.signal })
    return /^\s*y(es)?\s*$/i.test(answer)
  } catch (error) {
    if (gone.signal.aborted) return false
    throw error
  } finally {
    lines.close()
  }
}

/** What the module says of itself, and what it will be able to do. All of it comes from a stranger: shown, not obeyed. */
async function portrait({ manifest, source, before, growth }: StagedModule, trusted: boolean, out: Output): Promise<string> {
  const { detectPlatform, permissionReport } = await import('enigma')
  const { id, name, version, description, kind, category, runtime, cloud, requires, provides, resources, contributes } = manifest
  const list = (items: readonly string[]) => items.join(', ') || '-'
  const was = before === undefined ? '' : ` (installed: ${before.version})`
  const rows = [
    `${out.color.bold(id)} ${version}${was}: ${description || name}`,
    `  from        ${source}`,
    `  kind        ${kind}, ${category}`,
    `  runs        ${where[runtime]}`,
    `  provides    ${list(provides.map(({ capability, version: offered }) => `${capability}@${offered}`))}`,
    `  requires    ${list(requires.map(({ text }) => text))}`,
    `  resources   ${bytes(resources.ram)} memory, ${bytes(resources.vram)} graphics memory`,
    `  commands    ${list(contributes.commands.map((command) => `${id}:${command.name}`))}`,
    ...(contributes.commands.length > 0 ? [`              ${commandsRun[trusted ? 'trusted' : 'confined']}`] : []),
    '  permissions',
    ...permissionReport(manifest, detectPlatform()).map(({ text }) => `    ${text}`),
    ...(cloud === false ? [] : ['    sends what it is given to a cloud service']),
    ...(before !== undefined && growth.length > 0 ? [out.color.yellow(`  more than you agreed to: ${growth.join('; ')}`)] : []),
  ]
  return rows.map((row) => (out.showsProgress ? row : visible(row))).join('\n')
}

const commandsRun = {
  trusted: 'trusted: they run inside Enigma, where nothing holds them to the permissions below',
  confined: 'they do not run, as that would be inside Enigma; --trust allows it',
} as const

const where = {
  inproc: 'inside Enigma, as if it were part of it',
  worker: 'in a thread of Enigma, as if it were part of it',
  process: 'in a process of its own',
  wasm: 'in a WebAssembly sandbox',
  remote: 'somewhere else: Enigma talks to it over the network',
} as const

/** Ids that a new module may not have, with where they come from. */
export async function takenIds(installer: ModuleInstaller, out: Output): Promise<(id: string) => string | undefined> {
  const { openManager } = await import('./session.js')
  const added = new Set((await installer.list()).map(({ id }) => id))
  await using manager = await openManager(out)
  const others = manager.listModules().filter(({ id }) => !added.has(id))
  const places = new Map(others.map(({ id, broken }) => [id, broken ? 'a broken module' : manager.getModule(id).folder]))
  return (id) => (places.has(id) ? (places.get(id) ?? 'the program') : undefined)
}
