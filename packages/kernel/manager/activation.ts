import { ModuleError, messageOf } from '../errors.js'
import type { ModuleRecord } from '../lifecycle/record.js'
import { serves, type Token } from '../lifecycle/services.js'
import { type Activation, parseActivation } from '../manifest/activation.js'
import { planFor } from './load-all.js'
import type { World } from './world.js'

// Modules that are loaded when somebody asks for what they do, as their manifests say under `activation`.

/** Modules that are not up, with an activation that matches. */
export function activatedBy(world: World, matches: (activation: Activation) => boolean): ModuleRecord[] {
  return [...world.records.values()].filter(
    (record) => !record.up && record.state !== 'disabled' && activations(record).some(matches),
  )
}

/**
 * The module to load for a capability that nobody gives: of those whose activation names it, the first that can be loaded.
 * @throws ModuleError `NO_PROVIDER` with the reason of each, when none can
 */
export function providerFor(world: World, token: Token<unknown>): ModuleRecord | undefined {
  const names = (activation: Activation) => activation.on === 'capability' && activation.capability === token.name
  const willing = new Set(activatedBy(world, names))
  const chosen = world.lock?.bindings.get(token.name) ?? world.prefer.get(token.name)
  const candidates = world.catalogue
    .providers(token.name)
    .filter(({ manifest, version }) => willing.has(world.records.get(manifest.id)!) && serves({ ...token, version }, token))
    .map(({ manifest }) => world.records.get(manifest.id)!)
    .sort((a, b) => Number(b.id === chosen) - Number(a.id === chosen))
  const refusals: string[] = []
  for (const record of candidates) {
    const result = planFor(world, [record])
    if (result.ok) return record
    refusals.push(`${record.id}: ${result.reason}`)
  }
  if (refusals.length === 0) return undefined
  const message = `Nothing that gives '${token.name}' can be loaded. ${refusals.join(' ')}`
  throw new ModuleError('NO_PROVIDER', message, { alternatives: candidates.map(({ id }) => id) })
}

/** Loads modules at the first event that they wait for. */
export class EventActivation {
  readonly #subscriptions = new Map<string, () => void>()

  /** Waits for every module with an `onEvent` that it does not wait for already. The event itself is not repeated for the module. */
  arm(world: World, load: (id: string) => Promise<unknown>): void {
    for (const record of world.records.values()) {
      for (const activation of activations(record)) {
        if (activation.on === 'event') this.#arm(world, record.id, activation.pattern, load)
      }
    }
  }

  close(): void {
    for (const off of this.#subscriptions.values()) off()
    this.#subscriptions.clear()
  }

  #arm(world: World, id: string, pattern: string, load: (id: string) => Promise<unknown>): void {
    const key = `${id} ${pattern}`
    if (this.#subscriptions.has(key)) return
    let loading = false
    const off = world.bus.on(pattern, () => {
      if (loading || world.records.get(id)?.state !== 'unloaded') return
      loading = true
      load(id)
        .catch((error: unknown) => {
          // Its failure may be such an event again: once is enough.
          off()
          const message = `Module '${id}' could not be activated by '${pattern}', and is not tried again. ${messageOf(error)}`
          world.bus.emit('manager.warning', { code: error instanceof ModuleError ? error.code : 'LOAD_FAILED', message })
        })
        .finally(() => {
          loading = false
        })
    })
    this.#subscriptions.set(key, off)
  }
}

function activations({ manifest }: ModuleRecord): Activation[] {
  return manifest.activation.map(parseActivation).filter((activation) => activation !== undefined)
}
