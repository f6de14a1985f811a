import type { ModuleEvents } from '../events/event-map.js'
import type { World } from './world.js'

// When modules were loaded, how long it took, and what befell them since.

export interface TimelineEntry {
  readonly id: string
  /** Milliseconds since the first load began. */
  readonly at: number
  readonly loadMs: number
  readonly startMs: number
}

/** Something that befell a module after its load, as far back as the events are kept. */
export interface TimelineIncident {
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly time: number
  readonly what: 'crashed' | 'restarted' | 'restart-dropped' | 'quarantined' | 'evicted' | 'swapped' | 'reloaded'
  readonly text: string
}

export interface Timeline {
  readonly entries: readonly TimelineEntry[]
  /** Oldest first. */
  readonly incidents: readonly TimelineIncident[]
  readonly text: string
}

const incidents: {
  readonly [What in TimelineIncident['what']]: (event: ModuleEvents[`module.${What}`]) => readonly [id: string, text: string]
} = {
  crashed: ({ id, message }) => [id, `crashed: ${message}`],
  restarted: ({ id, attempt }) => [id, `is up again (attempt ${attempt})`],
  'restart-dropped': ({ id, message }) => [id, `is not started again: ${message}`],
  quarantined: ({ id, reason }) => [id, `is in quarantine: ${reason}`],
  evicted: ({ id, goal }) => [id, `made room for ${goal}`],
  swapped: ({ from, to }) => [to, `took the place of ${from}`],
  reloaded: ({ id, version }) => [id, `was reloaded, version ${version}`],
}

function incidentsOf({ bus }: World): TimelineIncident[] {
  return bus.recent('module.*').flatMap(({ name, payload, time }) => {
    const what = name.slice('module.'.length) as TimelineIncident['what']
    if (!Object.hasOwn(incidents, what)) return []
    const [id, text] = (incidents[what] as (event: unknown) => readonly [string, string])(payload)
    return [{ id, time, what, text }]
  })
}

export function timelineOf(world: World): Timeline {
  const { records } = world
  const loaded = [...records.values()]
    .filter((record) => record.up)
    .map(({ id, begun = 0, loadMs = 0, startMs = 0 }) => ({ id, at: begun, loadMs, startMs }))
    .sort((a, b) => a.at - b.at)
  const zero = loaded[0]?.at ?? 0
  const entries = loaded.map((entry) => ({ ...entry, at: entry.at - zero }))
  const width = Math.max(0, ...entries.map(({ id }) => id.length))
  const ms = (value: number) => `${value.toFixed(1)} ms`.padStart(11)
  const lines = entries.map(
    ({ id, at, loadMs, startMs }) => `${id.padEnd(width)} at${ms(at)}  load${ms(loadMs)}  start${ms(startMs)}`,
  )
  const found = incidentsOf(world)
  const told = found.map(({ id, time, text }) => `${new Date(time).toISOString()}  ${id} ${text}`)
  return { entries, incidents: found, text: [...lines, ...told].join('\n') }
}
