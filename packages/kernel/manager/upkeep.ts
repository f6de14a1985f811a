import type { Health } from '../define.js'
import type { ModuleRecord } from '../lifecycle/record.js'
import { tellPressure, watchResources } from '../resources/resource-watch.js'
import { HealthMonitor, type HealthRecord } from '../supervision/health.js'
import { Pulse } from '../supervision/pulse.js'
import { Supervisor, type SupervisorHost } from '../supervision/supervisor.js'
import type { ManagerOptions } from './manager-types.js'
import type { World } from './world.js'

/** What a manager does by itself: asks modules how they are and what they hold, and starts again what crashed. */
export class Upkeep {
  readonly #world: World
  readonly #health: HealthMonitor
  readonly #supervisor: Supervisor
  readonly #pulse: Pulse
  #changes = 0

  /** @param restart as `SupervisorHost` has it */
  constructor(world: World, options: ManagerOptions, restart: SupervisorHost['restart']) {
    const { bus, records, quarantine } = world
    this.#world = world
    this.#health = new HealthMonitor(bus, options.health?.deadline ?? 5_000)
    this.#supervisor = new Supervisor({ bus, records, restart }, quarantine, options.supervision)
    world.supervisor = this.#supervisor
    this.#pulse = new Pulse(options.health?.interval ?? 60_000, () => this.#look())
    const { warning } = quarantine
    if (warning) bus.emit('manager.warning', { code: warning.code, message: warning.message })
  }

  /** After each piece of work on the set. */
  settle(): void {
    if (this.#world.loaded.size > 0) this.#pulse.begin()
    else this.#pulse.pause()
    const { changes } = this.#world.ledger
    if (changes === this.#changes) return
    this.#changes = changes
    tellPressure(this.#world)
  }

  health(record: ModuleRecord): Promise<Health> {
    return this.#health.ask(record)
  }

  lastHealth(id: string): HealthRecord | undefined {
    return this.#health.of(id)
  }

  /** Somebody took the module in hand: it is not started again by itself. */
  release(id: string): void {
    this.#supervisor.release(id)
  }

  close(): void {
    this.#supervisor.close()
    this.#pulse.close()
  }

  async #look(): Promise<void> {
    const up = [...this.#world.loaded.ids()].map((id) => this.#world.records.get(id)!)
    if (this.#world.eviction === 'idle') this.#world.lastUse.note(up)
    await Promise.all([this.#health.poll(up), watchResources(this.#world, up)])
  }
}
