import { readFile } from 'node:fs/promises'
import { isAbsolute, join, normalize, sep } from 'node:path'
import type { GarbageReport, GarbageRule } from '@enigma/contracts'
import { enigmaFolders, writeAtomic } from '@enigma/files'
import { type Health, type ModuleContext, ModuleError, parseDuration } from '@enigma/kernel'
import { find, remove, reportOf } from './collect.js'
import { builtinRules } from './rules.js'
import type { GarbageCollectorConfig, GarbageCollectorService, LastRun } from './types.js'

type Host = Pick<ModuleContext<GarbageCollectorConfig>, 'events' | 'log' | 'signal'>

/** Runs the rules at an interval. */
export class GarbageCollector implements GarbageCollectorService {
  readonly #host: Host
  #contributed = new Set<GarbageRule>()
  /** Problems that were logged: a folder that is not ours stays so, run after run. */
  readonly #told = new Set<string>()
  #config: GarbageCollectorConfig
  #builtin: readonly GarbageRule[]
  #running: Promise<GarbageReport> | undefined
  #schedule: AbortController | undefined
  #last: GarbageReport | undefined

  constructor(host: Host, config: GarbageCollectorConfig) {
    this.#host = host
    this.#config = config
    this.#builtin = builtinRules(config)
  }

  addRule(rule: GarbageRule): () => void {
    const known = this.rules().some(({ id }) => id === rule.id)
    const problem = known ? 'another rule has its id' : problemOf(rule)
    if (problem) throw new ModuleError('BAD_CONFIG', `The garbage rule '${rule.id}' is refused: ${problem}.`)
    // One of its own, so that a rule that is changed afterwards stays what was checked.
    const own = { ...rule, matches: (name: string) => rule.matches(name) }
    // The set itself: it may have been handed over when the rule is taken away.
    const all = this.#contributed.add(own)
    return () => void all.delete(own)
  }

  rules(): readonly GarbageRule[] {
    return [...this.#builtin, ...this.#contributed]
  }

  async scan(): Promise<GarbageReport> {
    const begun = performance.now()
    const { candidates, problems } = await find(this.rules(), enigmaFolders())
    const items = candidates.map(({ item }) => item)
    return { ...reportOf(items, problems), ms: Math.round(performance.now() - begun) }
  }

  run(): Promise<GarbageReport> {
    this.#running ??= this.#collect().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async lastRun(): Promise<LastRun | undefined> {
    try {
      return JSON.parse(await readFile(lastRunPath(), 'utf8')) as LastRun
    } catch {
      return undefined
    }
  }

  /** Begins to run at the interval. Returns what ends it, after the removal under way. */
  schedule(): () => Promise<void> {
    const controller = new AbortController()
    this.#schedule = controller
    let timer: NodeJS.Timeout
    const wait = (ms: number) => {
      // A program does not stay alive to clean up.
      timer = setTimeout(async () => {
        await this.run().catch((error: unknown) => this.#host.log.error(`Cleaning up failed: ${(error as Error).message}`))
        if (!controller.signal.aborted) wait(this.#pause())
      }, ms).unref()
    }
    // Not at once: starting up has better things to do.
    wait(Math.min(60_000, this.#pause()))
    return async () => {
      clearTimeout(timer)
      controller.abort()
      if (this.#schedule === controller) this.#schedule = undefined
      await this.#running?.catch(() => undefined)
    }
  }

  configure(config: GarbageCollectorConfig): void {
    this.#config = config
    this.#builtin = builtinRules(config)
  }

  /** Rules of other modules, for the code that replaces this one: those modules stay, and take them away when they go. */
  handOver(): Set<GarbageRule> {
    return this.#contributed
  }

  adopt(contributed: Set<GarbageRule>): void {
    this.#contributed = contributed
  }

  health(): Health {
    if (this.#last === undefined) return { status: 'healthy', message: 'No run yet' }
    const { files, bytes, problems } = this.#last
    if (problems.length > 0) return { status: 'degraded', message: problems[0]! }
    return { status: 'healthy', message: `The last run removed ${files} files, ${bytes} bytes` }
  }

  async #collect(): Promise<GarbageReport> {
    const begun = performance.now()
    const { signal: end } = this.#host
    const signal = this.#schedule ? AbortSignal.any([end, this.#schedule.signal]) : end
    const found = await find(this.rules(), enigmaFolders())
    const report = { ...(await remove(found, signal)), ms: Math.round(performance.now() - begun) }
    const { files, bytes, problems } = report
    this.#last = report
    for (const problem of problems) this.#tell(problem)
    this.#host.events.emit('garbage.collected', { files, bytes })
    const last: LastRun = { time: new Date().toISOString(), files, bytes, problems }
    await writeAtomic(lastRunPath(), `${JSON.stringify(last, null, 2)}\n`).catch((error: unknown) => {
      this.#host.log.warn(`The last run cannot be noted: ${(error as Error).message}`)
    })
    if (this.#config.memory) globalThis.gc?.()
    return report
  }

  #tell(problem: string): void {
    if (this.#told.has(problem) || this.#told.size >= 100) return
    this.#told.add(problem)
    this.#host.log.warn(problem)
  }

  /** Milliseconds to the next run: several processes should not all run at once. */
  #pause(): number {
    const jitter = 0.9 + 0.2 * Math.random()
    return Math.min(2 ** 31 - 1, Math.max(100, parseDuration(this.#config.interval)! * jitter))
  }
}

function lastRunPath(): string {
  return join(enigmaFolders().state, 'garbage.json')
}

const roots = ['state', 'cache', 'logs', 'data', 'config']

/** Why a contributed rule cannot be taken. */
function problemOf({ root, folder, olderThan, matches }: GarbageRule): string | undefined {
  if (!roots.includes(root)) return `its root must be one of ${roots.join(', ')}`
  if (typeof matches !== 'function') return "'matches' must be a function of a name"
  if (!Number.isFinite(olderThan) || olderThan < 0) return "'olderThan' must be milliseconds, 0 or more"
  const way = normalize(folder ?? '.')
  if (isAbsolute(way) || way === '..' || way.startsWith(`..${sep}`)) return "'folder' must lie below its root"
  if (way === '.' && (root === 'data' || root === 'config')) return `a rule for '${root}' must name a folder in it`
  return undefined
}
