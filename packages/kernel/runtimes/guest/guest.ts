import type { ModuleDefinition } from '../../define.js'
import { importDefinition } from '../../discovery/entry.js'
import { ModuleError } from '../../errors.js'
import type { Manifest } from '../../manifest/manifest.js'
import type { Channel } from '../wire/channel.js'
import { openFacade } from '../wire/facade.js'
import { Peer } from '../wire/peer.js'
import { GuestEffects } from './effects.js'
import { GuestContext } from './guest-context.js'
import { GuestObjects } from './objects.js'

// The far side of a module's runtime: imports the module's code and runs it for a manager in another process or thread.

type Definition = ModuleDefinition<Readonly<Record<string, unknown>>>
type Hook = keyof Definition

/** Answers the host until it closes the channel, then calls `exit`. `memory` is what this side holds, in bytes. */
export function runGuest(channel: Channel, memory: () => number, exit: () => void): void {
  let guest: Guest | undefined
  const need = (): Guest => {
    if (guest === undefined) throw new Error("Before 'init' there is no module.")
    return guest
  }
  const peer = new Peer(
    channel,
    {
      init: async (params) => {
        const manifest = params.manifest as Manifest
        const interfaces = (id: string) => openFacade((method, args) => peer.request('interface', { id, method, args }))
        const definition = (await importDefinition(manifest, String(params.folder), interfaces)) as unknown as Definition
        guest = new Guest(manifest, definition, params.config as Readonly<Record<string, unknown>>, peer)
        return { hooks: Object.keys(definition) }
      },
      hook: ({ name, args }) => need().hook(name as Hook, args as unknown[]),
      call: ({ object, method, args }) => need().objects.call(Number(object), String(method), args as unknown[]),
      event: ({ subscription, payload, name }) => need().context.handlers.call(Number(subscription), payload, String(name)),
      undo: ({ effect }) => need().effects.undo(Number(effect)),
      abort: ({ reason }) => need().abort(reason),
      services: ({ present }) => void (need().context.present = new Set(present as string[])),
      ping: () => ({ memory: memory(), usage: guest?.usage() }),
      exit: () => void setImmediate(exit),
    },
    () => exit(),
  )
}

class Guest {
  readonly context: GuestContext
  readonly objects = new GuestObjects()
  readonly effects: GuestEffects
  readonly #definition: Definition
  readonly #life = new AbortController()
  #api: unknown

  constructor(manifest: Manifest, definition: Definition, config: Readonly<Record<string, unknown>>, peer: Peer) {
    this.#definition = definition
    this.effects = new GuestEffects(manifest.id, peer, this.#life.signal)
    this.context = new GuestContext(manifest, config, peer, this.#life.signal, this.effects, this.objects)
  }

  async hook(name: Hook, args: readonly unknown[]): Promise<unknown> {
    const run = Object.hasOwn(hooks, name) ? hooks[name] : undefined
    if (run === undefined) throw new ModuleError('BAD_MESSAGE', `There is no operation '${String(name).slice(0, 40)}'.`)
    if (name === 'load' && typeof args[0] === 'string') this.context.device = args[0]
    const result = await this.effects.during(() => run(this.#definition, this.context as never, this.#api, args))
    if (name === 'load') {
      this.#api = result
      return this.objects.give(result)
    }
    if (name === 'onConfig' && result === 'applied') this.context.config = args[0] as Readonly<Record<string, unknown>>
    // The others answer nothing that anybody asks for, and what they return need not be able to cross.
    return answering.has(name) ? result : undefined
  }

  abort(reason: unknown): void {
    this.#life.abort(reason)
  }

  usage(): unknown {
    return this.#api === undefined ? undefined : this.#definition.usage?.(this.context as never, this.#api)
  }
}

const answering: ReadonlySet<string> = new Set(['health', 'estimate', 'onConfig', 'snapshot'])

type Run = (definition: Definition, ctx: never, api: unknown, args: readonly unknown[]) => unknown

const hooks: Readonly<Partial<Record<string, Run>>> = {
  load: (definition, ctx) => definition.load?.(ctx),
  start: (definition, ctx, api) => definition.start?.(ctx, api),
  stop: (definition, ctx, api) => definition.stop?.(ctx, api),
  unload: (definition, ctx, api) => definition.unload?.(ctx, api),
  health: (definition, ctx, api) => definition.health?.(ctx, api),
  snapshot: (definition, ctx, api) => definition.snapshot?.(ctx, api),
  restore: (definition, ctx, api, [state]) => definition.restore?.(ctx, state, api),
  estimate: (definition, _ctx, _api, [config]) => definition.estimate?.(config as never),
  onConfig: (definition, ctx, api, [next, previous]) => definition.onConfig?.(next as never, previous as never, ctx, api),
}
