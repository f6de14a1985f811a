import type { Health, ModuleDefinition } from '../../define.js'
import type { InterfaceLookup } from '../../discovery/seed-class.js'
import type { ModuleContext } from '../../lifecycle/context.js'
import type { Manifest } from '../../manifest/manifest.js'
import type { Amounts } from '../../resources/ledger.js'
import { readHealth } from './health.js'
import type { StartLink } from './link.js'
import { OutputLog } from './output.js'
import { Session } from './session.js'

const healthy: Health = { status: 'healthy' }

/** An ordinary definition whose code runs in another process or thread. */
export class RemoteModule implements ModuleDefinition<never> {
  readonly #manifest: Manifest
  readonly #folder: string
  readonly #start: StartLink
  readonly #lookup: InterfaceLookup
  #session: Session | undefined
  #hooks: ReadonlySet<unknown> = new Set()

  constructor(manifest: Manifest, folder: string, start: StartLink, lookup: InterfaceLookup) {
    this.#manifest = manifest
    this.#folder = folder
    this.#start = start
    this.#lookup = lookup
  }

  /** Starts the other side; the load that follows takes it over, and `kill` ends it where none follows. */
  async estimate(config: never): Promise<Partial<Amounts>> {
    const session = await this.#open(config)
    return this.#hooks.has('estimate') ? readAmounts(await session.operation('hook', { name: 'estimate', args: [config] })) : {}
  }

  async load(ctx: ModuleContext<never>): Promise<unknown> {
    const waiting = this.#session
    const session = waiting && !waiting.over ? waiting : await this.#open(ctx.config, ctx)
    if (!session.attached) session.attach(ctx)
    const api = session.interface(await session.operation('hook', { name: 'load', args: [ctx.device] }))
    await session.ping()
    return api
  }

  async start(): Promise<void> {
    await this.#operation('start')
  }

  async stop(): Promise<void> {
    await this.#operation('stop')
  }

  async unload(): Promise<void> {
    await this.#operation('unload')
  }

  async health(): Promise<Health> {
    if (!this.#hooks.has('health')) return healthy
    return readHealth(await this.#session?.ask('health'))
  }

  usage(): Partial<Amounts> {
    const { memory, usage } = this.#session?.measured ?? { memory: 0, usage: undefined }
    return { ...readAmounts(usage), ram: memory }
  }

  async onConfig(next: never, previous: never): Promise<'applied' | 'restart'> {
    if (!this.#hooks.has('onConfig')) return 'restart'
    return (await this.#session?.ask('onConfig', next, previous)) === 'applied' ? 'applied' : 'restart'
  }

  async snapshot(): Promise<unknown> {
    return this.#hooks.has('snapshot') ? this.#session?.ask('snapshot') : undefined
  }

  async restore(_ctx: ModuleContext<never>, state: unknown): Promise<void> {
    if (this.#hooks.has('restore')) await this.#session?.operation('hook', { name: 'restore', args: [state] })
  }

  kill(): void {
    this.#session?.kill()
  }

  async #open(config: unknown, ctx?: ModuleContext<never>): Promise<Session> {
    const output = new OutputLog()
    const session = new Session(this.#manifest, await this.#start(output.take), output, this.#lookup)
    this.#session = session
    if (ctx) session.attach(ctx)
    this.#hooks = await session.init(this.#folder, config)
    return session
  }

  async #operation(name: string): Promise<void> {
    const session = this.#session
    if (session && !session.over && this.#hooks.has(name)) await session.operation('hook', { name, args: [] })
  }
}

/** Only the figures that are figures. */
function readAmounts(given: unknown): Partial<Amounts> {
  const { ram, vram } = (given ?? {}) as { ram?: unknown; vram?: unknown }
  const isSize = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0
  return { ...(isSize(ram) && { ram }), ...(isSize(vram) && { vram }) }
}
