import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { ModuleError, ServiceGone } from '../errors.js'
import type { ModuleContext } from '../lifecycle/context.js'
import { token } from '../lifecycle/services.js'
import { transitions } from '../lifecycle/state.js'
import { gigabyte, openManager, temporaryFolder } from '../testing/build.js'
import type { ModuleManager } from './manager.js'

// Random operations on thirty modules with faults in them. Whatever happens, after each operation: the states are legal, what is
// registered belongs to modules that are up, the ledger holds what they reserved, and nobody is bound to what he may not be.

const layers = 5
const perLayer = 6
const fault = ['none', 'throw', 'reject', 'late effect'] as const
type Fault = (typeof fault)[number]
type Place = 'load' | 'start' | 'stop' | 'unload'

interface Behaviour {
  place: Place
  fault: Fault
}

/** Two modules of each layer offer its capability `c<layer>` exclusively; each module needs one of the layer below. */
const ids = Array.from({ length: layers }, (_, layer) => Array.from({ length: perLayer }, (_, i) => `m${layer}-${i}`)).flat()
const layerOf = (id: string) => Number(id[1])
const indexOf = (id: string) => Number(id.slice(3))
const offers = (id: string) => indexOf(id) < 2

interface Probe {
  /** Contexts of lives that have not ended. */
  readonly contexts: Map<string, ModuleContext<unknown>>
  readonly behaviours: Map<string, Behaviour>
  /** What is wrong that an invariant cannot see from outside. */
  readonly wrong: string[]
}

function register(manager: ModuleManager, id: string, probe: Probe): void {
  const layer = layerOf(id)
  const capability = token<{ ping(): string }>(`c${layer}`)
  const need = layer > 0 ? token<{ ping(): string }>(`c${layer - 1}`) : undefined
  const misbehave = (place: Place, ctx: ModuleContext<unknown>) => {
    const behaviour = probe.behaviours.get(id)
    if (behaviour?.place !== place) return undefined
    switch (behaviour.fault) {
      case 'throw':
        throw new Error(`${id} throws in ${place}`)
      case 'reject':
        return Promise.resolve().then(() => {
          throw new Error(`${id} rejects in ${place}`)
        })
      case 'late effect':
        setImmediate(() => {
          try {
            ctx.events.on('late', () => undefined)()
            if (probe.contexts.get(id) !== ctx) probe.wrong.push(`a late effect of ${id} was taken`)
          } catch (error) {
            if (!(error instanceof ModuleError)) probe.wrong.push(`a late effect of ${id}: ${String(error)}`)
          }
        })
        return undefined
      default:
        return undefined
    }
  }
  manager.register({
    manifest: {
      id,
      version: '1.0.0',
      requires: layer > 0 && indexOf(id) % 3 !== 2 ? [`c${layer - 1}`] : [],
      optional: layer > 0 && indexOf(id) % 3 === 2 ? [`c${layer - 1}`] : [],
      provides: offers(id) ? [`c${layer}`] : [],
      conflicts: id === 'm2-4' ? ['m1-5'] : [],
      resources: { ram: '200MB' },
      config: { type: 'object', properties: { level: { type: 'integer', default: 0 } } },
    },
    module: {
      async load(ctx) {
        probe.contexts.set(id, ctx)
        ctx.onDispose(() => void probe.contexts.delete(id))
        ctx.events.on('tick', () => undefined)
        ctx.timers.setInterval(() => undefined, 60_000)
        if (offers(id)) ctx.provide(capability, { ping: () => id })
        await misbehave('load', ctx)
        const below = need && indexOf(id) % 3 !== 2 ? ctx.use(need) : undefined
        return { ask: () => below?.ping() }
      },
      async start(ctx) {
        ctx.events.on('tick', () => undefined)
        await misbehave('start', ctx)
      },
      stop: (ctx) => misbehave('stop', ctx),
      unload: (ctx) => misbehave('unload', ctx),
      onConfig: (next) => ((next as { level: number }).level % 2 === 0 ? 'applied' : 'restart'),
    },
  })
}

const module = fc.constantFrom(...ids)
const operation = fc.oneof(
  { weight: 10, arbitrary: fc.record({ do: fc.constant('load' as const), id: module, start: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('unload' as const), id: module, cascade: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('start' as const, 'stop' as const), id: module, cascade: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('swap' as const),
      id: module,
      to: module,
      order: fc.constantFrom('make-first', 'break-first'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('enable' as const, 'disable' as const), id: module, cascade: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('reload' as const), id: module }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('crash' as const), id: module }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('configure' as const), id: module, level: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('save' as const, 'restore' as const) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('fault' as const),
      id: module,
      place: fc.constantFrom<Place>('load', 'start', 'stop', 'unload'),
      fault: fc.constantFrom<Fault>(...fault),
    }),
  },
)
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never

const folder = temporaryFolder()
afterAll(() => folder.remove())
const saved = join(folder.path, 'modules.json')

async function perform(manager: ModuleManager, probe: Probe, op: Operation): Promise<unknown> {
  switch (op.do) {
    case 'load':
      return manager.load(op.id, undefined, { start: op.start })
    case 'unload':
      return manager.unload(op.id, { cascade: op.cascade })
    case 'start':
      return manager.start(op.id)
    case 'stop':
      return manager.stop(op.id, { cascade: op.cascade })
    case 'swap':
      return manager.swap(op.id, op.to, undefined, { order: op.order as 'make-first' | 'break-first', drainMs: 50 })
    case 'enable':
      return manager.enable(op.id)
    case 'disable':
      return manager.disable(op.id, { cascade: op.cascade })
    case 'reload':
      return manager.reload(op.id)
    case 'configure':
      return manager.configure(op.id, { level: op.level })
    case 'crash':
      return probe.contexts.get(op.id)?.fail(new Error(`${op.id} crashes`))
    case 'save':
      return manager.saveConfig(saved)
    case 'restore':
      return manager.loadConfig(saved)
    case 'fault':
      probe.behaviours.set(op.id, { place: op.place, fault: op.fault })
  }
}

function check(manager: ModuleManager, probe: Probe): void {
  const views = ids.map((id) => manager.getModule(id))
  const up = views.filter(({ state }) => state === 'loaded' || state === 'active')
  const names = up.map(({ id }) => id)
  expect([...manager.listLoaded()].sort()).toEqual([...names].sort())
  expect([...probe.contexts.keys()].sort(), 'contexts of lives that go on').toEqual([...names].sort())
  for (const view of views) {
    expect(view.phase, `${view.id} is settled`).toBeUndefined()
    expect(view.state).not.toBe('loading')
    if (view.state === 'error') expect(view.error).toBeInstanceOf(ModuleError)
    if (view.state !== 'loaded' && view.state !== 'active') expect(view.effects).toEqual([])
  }
  // One listener of load for each module that is up, one of start for each that is active, none of anybody else.
  expect(manager.events.size).toBe(up.length + up.filter(({ state }) => state === 'active').length + 1)
  expect(manager.ledger.map(({ module: id }) => id).sort()).toEqual([...names].sort())
  expect(manager.ledger.every(({ ram, used }) => ram === 200 * 2 ** 20 && used)).toBe(true)
  // Exclusive capabilities have one provider, and conflicts keep apart.
  for (let layer = 0; layer < layers; layer++)
    expect(names.filter((id) => layerOf(id) === layer && offers(id)).length).toBeLessThan(2)
  expect(names.includes('m2-4') && names.includes('m1-5')).toBe(false)
  // A handle answers with the provider that is up, or says that it is gone: nothing else.
  for (const { id } of up) {
    const below = names.find((other) => layerOf(other) === layerOf(id) - 1 && offers(other))
    try {
      const answer = manager.getInterface<{ ask(): string | undefined }>(id).ask()
      if (answer !== undefined) expect(answer).toBe(below)
    } catch (error) {
      expect(error).toBeInstanceOf(ServiceGone)
      expect(
        views.some(({ id: other, state }) => layerOf(other) === layerOf(id) - 1 && offers(other) && state !== 'active'),
      ).toBe(true)
    }
  }
  expect(probe.wrong).toEqual([])
}

const soak = process.env.ENIGMA_SOAK !== undefined
/** Sequences are up to 200 operations long; short ones come first. */
const [sequences, enough] = soak ? [300, 10_000] : [10, 200]

test('random operations on thirty modules with faults keep every invariant; a failing sequence shrinks', async () => {
  const refused = new Set<string>()
  let done = 0
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 200, size: 'max' }), async (operations) => {
      const manager = await openManager({ times: { grace: 20 }, hardware: { ramTotal: 16 * gigabyte, ramFree: 3 * gigabyte } })
      const probe: Probe = { contexts: new Map(), behaviours: new Map(), wrong: [] }
      manager.events.on('module.state', ({ id, from, to }) => {
        if (from !== to && !transitions[from].includes(to)) probe.wrong.push(`${id}: ${from} became ${to}`)
      })
      for (const id of ids) register(manager, id, probe)
      await manager.saveConfig(saved)
      for (const op of operations) {
        const before = manager.listLoaded()
        await perform(manager, probe, op).catch((error: unknown) => {
          // Every refusal and failure is a coded error, and nothing that was not up before is up after it.
          expect(error).toBeInstanceOf(ModuleError)
          refused.add((error as ModuleError).code)
          expect(before).toEqual(expect.arrayContaining(manager.listLoaded()))
          // A load takes nothing down, but what failed itself when it was to be started.
          const lost = before.filter((id) => !manager.listLoaded().includes(id))
          if (op.do === 'load') expect(lost.filter((id) => manager.getModule(id).state !== 'error')).toEqual([])
        })
        await new Promise((resolve) => setImmediate(resolve))
        check(manager, probe)
        done++
      }
      await manager.shutdown().catch((error: unknown) => expect(error).toBeInstanceOf(ModuleError))
      expect(manager.ledger).toEqual([])
      expect(probe.contexts.size).toBe(0)
    }),
    { numRuns: sequences },
  )
  // The sequences were worth something: many kinds of refusals and failures were met.
  expect(done).toBeGreaterThan(enough)
  expect(refused.size).toBeGreaterThan(3)
  if (soak)
    expect([...refused]).toEqual(
      expect.arrayContaining(['CAPABILITY_TAKEN', 'LOAD_FAILED', 'START_FAILED', 'STOP_FAILED', 'CYCLE']),
    )
}, 600_000)
