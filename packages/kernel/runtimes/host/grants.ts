import type { InterfaceLookup } from '../../discovery/seed-class.js'
import { ModuleError } from '../../errors.js'
import type { LogLevel } from '../../events/event-map.js'
import type { ModuleContext } from '../../lifecycle/context.js'
import { type Token, token } from '../../lifecycle/services.js'
import type { Manifest, Requirement } from '../../manifest/manifest.js'
import { facade, methodOf, readShape } from '../wire/facade.js'
import type { Handlers, Params } from '../wire/peer.js'

// Everything a module that runs elsewhere can reach of its manager. It asks by name, and each time the context decides, which
// knows the manifest; nothing it sends is believed.

/** Asks the other side. */
type Ask = (method: string, params: Params) => Promise<unknown>

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']
/** What the kernel itself says; a module elsewhere cannot say it in its name. */
const reserved = /^(module|manager|bus|ledger)\.|^log$/

type AskHook = (ctx: ModuleContext<never>, name: string, value: unknown) => Promise<unknown>

const askable: Readonly<Partial<Record<string, AskHook>>> = {
  bail: ({ hooks }, name, value) => hooks.bail(name, value as never),
  waterfall: ({ hooks }, name, value) => hooks.waterfall(name, value as never),
  series: ({ hooks }, name, value) => hooks.series(name, value as never),
  parallel: ({ hooks }, name, value) => hooks.parallel(name, value as never),
}

export class Grants {
  readonly handlers: Handlers
  readonly #manifest: Manifest
  readonly #lookup: InterfaceLookup
  readonly #ask: Ask
  readonly #undo = new Map<unknown, () => unknown>()
  #context: ModuleContext<never> | undefined
  #present = ''
  #refusal: ModuleError | undefined

  constructor(manifest: Manifest, lookup: InterfaceLookup, ask: Ask) {
    this.#manifest = manifest
    this.#lookup = lookup
    this.#ask = ask
    this.handlers = {
      log: ({ level, message, fields }) => this.#log(level, message, fields),
      provide: (params) => this.#refusable(() => this.#provide(params)),
      check: (params) => this.#refusable(() => void this.#ctx.use(readToken(params))),
      service: (params) => this.#service(params),
      interface: ({ id, method, args }) => methodOf(this.#lookup(String(id)), String(method))(...readList(args)),
      emit: ({ name, payload, report }) => this.#emit(String(name), payload, report === true),
      hooks: ({ way, name, value }) => this.#askHook(String(way), String(name), value),
      subscribe: (params) => this.#refusable(() => this.#subscribe(params)),
      unsubscribe: ({ subscription }) => this.#take(`on ${subscription}`),
      effect: ({ effect, label }) => this.#effect(effect, String(label).slice(0, 200)),
      undone: ({ effect }) => this.#take(`effect ${effect}`),
    }
  }

  attach(context: ModuleContext<never>): void {
    this.#context = context
    const names = [...this.#manifest.optional, ...this.#manifest.requires]
    if (this.#manifest.optional.length > 0) context.events.on('module.state', () => this.#tellPresent(names))
    if (names.length > 0) this.#tellPresent(names)
  }

  /** What the other side gave: an object with methods, or a plain value. */
  interface(given: unknown): unknown {
    const { object, shape, value } = (given ?? {}) as Params
    if (typeof object !== 'number') return value
    return facade(readShape(shape), (method, args) => this.#ask('call', { object, method, args }))
  }

  /** The refusal behind an error that came back from the other side with the same words. */
  origin(error: unknown): unknown {
    const refusal = this.#refusal
    return refusal && error instanceof Error && error.message === refusal.message ? refusal : error
  }

  get #ctx(): ModuleContext<never> {
    if (this.#context) return this.#context
    throw new ModuleError('CONTEXT_CLOSED', `Module '${this.#manifest.id}' has no context before its load.`)
  }

  #refusable<T>(run: () => T): T {
    try {
      return run()
    } catch (error) {
      if (error instanceof ModuleError) this.#refusal = error
      throw error
    }
  }

  #log(level: unknown, message: unknown, fields: unknown): void {
    const known = levels.find((name) => name === level) ?? 'info'
    const data = typeof fields === 'object' && fields !== null ? (fields as Record<string, unknown>) : undefined
    this.#context?.log[known](String(message).slice(0, 65_536), data)
  }

  #provide(params: Params): void {
    this.#ctx.provide(readToken(params), this.interface(params))
  }

  #service({ way, method, args, ...params }: Params): unknown {
    const wanted = readToken(params)
    const service = way === 'maybe' ? this.#ctx.maybe(wanted) : this.#ctx.use(wanted)
    if (service === undefined) {
      const message = `Nothing serves '${wanted.name}' ${wanted.version} now. Ask ctx.maybe at each use.`
      throw new ModuleError('SERVICE_MISSING', message, { module: this.#manifest.id })
    }
    return methodOf(service, String(method))(...readList(args))
  }

  #emit(name: string, payload: unknown, report: boolean): unknown {
    if (reserved.test(name)) {
      this.#ctx.log.warn(`The event '${name}' is the kernel's own: it was not emitted`)
      return { delivered: 0, failed: [] }
    }
    if (report) return this.#ctx.events.emitAsync(name, payload)
    this.#ctx.events.emit(name, payload)
    return undefined
  }

  #askHook(way: string, name: string, value: unknown): unknown {
    const ask = Object.hasOwn(askable, way) ? askable[way] : undefined
    if (ask === undefined) throw new TypeError(`There is no way '${way.slice(0, 40)}' to ask a hook.`)
    return ask(this.#ctx, name, value)
  }

  #subscribe({ to, subscription, name, options }: Params): void {
    const handler = (payload: unknown, called: string = String(name)) =>
      this.#ask('event', { subscription, payload, name: called })
    const given = { ...(options as object | undefined) }
    const { events, hooks } = this.#ctx
    const off =
      to === 'hook' ? hooks.tap(String(name), (value: unknown) => handler(value), given) : events.on(String(name), handler, given)
    this.#undo.set(`on ${subscription}`, off)
  }

  #effect(effect: unknown, label: string): void {
    const key = `effect ${effect}`
    const undo = this.#ctx.onDispose(() => {
      this.#undo.delete(key)
      return this.#ask('undo', { effect })
    }, label)
    this.#undo.set(key, undo)
  }

  #take(key: string): unknown {
    const undo = this.#undo.get(key)
    this.#undo.delete(key)
    return undo?.()
  }

  // Which capabilities are there is told ahead, as `ctx.maybe` answers at once.
  #tellPresent(names: readonly Requirement[]): void {
    const present = names.filter((name) => this.#serves(name)).map(({ capability }) => capability)
    const text = present.join(' ')
    if (text === this.#present) return
    this.#present = text
    this.#ask('services', { present }).catch(() => undefined)
  }

  #serves({ capability, range }: Requirement): boolean {
    const major = /\d+/.exec(range)?.[0] ?? '1'
    try {
      return this.#ctx.maybe(token(capability, `${major}.0`)) !== undefined
    } catch {
      return false
    }
  }
}

function readToken({ name, version }: Params): Token<unknown> {
  return token(String(name), String(version))
}

function readList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
