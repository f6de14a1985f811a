import type { ModuleConfig } from '../config/config.js'
import { ModuleError } from '../errors.js'
import type { ModuleRecord } from '../lifecycle/record.js'
import { type ServiceSlot, serves } from '../lifecycle/services.js'
import { commit, takeDown } from '../lifecycle/transaction.js'
import type { PlanStep } from '../resolver/resolver.js'
import { directDependents } from './dependents.js'
import { startOrder } from './load-all.js'
import type { SwapOptions, SwapReport } from './manager-types.js'
import type { World } from './world.js'

// One provider put in another's place, as one transaction. Whoever is bound to the old one is bound to the new one
// afterwards, and handles lead there; calls under way are let finish, calls made meanwhile wait.

interface SwapWork {
  readonly from: ModuleRecord
  readonly to: ModuleRecord
  /** What has to be loaded for `to`, itself included. */
  readonly steps: readonly PlanStep[]
  readonly configs: ReadonlyMap<string, ModuleConfig>
  /** Whether the machine can hold both. */
  readonly together: boolean
}

/**
 * Make before break where the machine can hold both, else break before make, and then the old one comes back if the new one
 * fails. @throws ModuleError what failed; the old provider serves as before
 */
export async function replace(world: World, work: SwapWork, options: SwapOptions = {}): Promise<SwapReport> {
  const begun = performance.now()
  const { from, to, steps, configs } = work
  const order = options.order ?? (work.together ? 'make-first' : 'break-first')
  const wanted = from.wanted
  const slots = from.slots
  const heir = heirs(from, to)
  const change = {
    steps,
    configs,
    start: from.state === 'active' ? startOrder(world, [to], steps) : [],
    verify: () => checkHeirs(slots, to, heir),
    signal: options.signal,
  }
  const settle = () => drain(slots, options.drainMs ?? from.manifest.lifecycle.stopTimeout)
  const takeOver = () => {
    for (const dependent of directDependents(world, from)) dependent.rebind(from, to)
    for (const slot of slots) {
      const next = heir(slot)
      if (next) slot.follow(next)
    }
    to.adoptOrphans()
  }
  let drained: boolean
  if (order === 'make-first') {
    await commit(world, change)
    takeOver()
    drained = await settle()
    await takeDown(world.lifecycle, [from])
  } else {
    const release = hold(slots)
    world.passing = slots
    try {
      drained = await unlessAborted(settle(), options.signal, to.id)
      await commit(world, { ...change, drop: [from] })
      takeOver()
    } finally {
      world.passing = []
      release()
    }
  }
  from.orphans = []
  from.wanted = false
  to.wanted ||= wanted
  const loaded = steps.map(({ manifest }) => manifest.id)
  return { from: from.id, to: to.id, order, loaded, drained, ms: performance.now() - begun, error: from.error }
}

/** Which slot of the new side takes a slot of the old one over. */
function heirs(from: ModuleRecord, to: ModuleRecord): (slot: ServiceSlot) => ServiceSlot | undefined {
  const { api } = from
  // An interface that is a service of the module is the same thing under another name.
  const alias = api && from.services.find((slot) => slot.own === api.own)?.token.name
  return (slot) => {
    if (slot !== api) return to.service(slot.token.name)
    if (from.id === to.id) return to.api
    return alias === undefined ? undefined : to.service(alias)
  }
}

/** @throws ModuleError `SWAP_REFUSED` when the new side does not give what others hold */
function checkHeirs(slots: readonly ServiceSlot[], to: ModuleRecord, heir: (slot: ServiceSlot) => ServiceSlot | undefined): void {
  for (const slot of slots) {
    if (!slot.held || slot.token.name === slot.module) continue
    const next = heir(slot)
    if (next && serves(next.token, slot.token)) continue
    const { name, version } = slot.token
    const what = next ? `gives '${name}' ${next.token.version}` : `gave no implementation of '${name}'`
    const message = `Module '${to.id}' ${what}, but '${name}' ${version} of '${slot.module}' is in use. Call ctx.provide in its load.`
    throw new ModuleError('SWAP_REFUSED', message, { module: to.id })
  }
}

/** Calls through handles wait until the answer is called. */
function hold(slots: readonly ServiceSlot[]): () => void {
  let release: () => void = () => undefined
  const until = new Promise<void>((resolve) => {
    release = resolve
  })
  for (const slot of slots) slot.hold(until)
  return release
}

/** Waits for the calls under way, at most `ms`; false when some were left behind. */
async function drain(slots: readonly ServiceSlot[], ms: number): Promise<boolean> {
  const answers = await Promise.all(slots.map((slot) => slot.drained(ms)))
  return answers.every(Boolean)
}

/** @throws ModuleError `CANCELLED` as soon as the signal is aborted: nothing has been taken down yet */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined, id: string): Promise<T> {
  if (signal === undefined) return work
  let abort: () => void = () => undefined
  const aborted = new Promise<never>((_, reject) => {
    abort = () => {
      const message = `The swap to '${id}' was cancelled, and the old one serves as before.`
      reject(new ModuleError('CANCELLED', message, { module: id, cause: signal.reason }))
    }
  })
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
