import type { Labels, Metrics, MetricType } from '@enigma/contracts'
import type { ModuleContext, ModuleEvents } from '@enigma/kernel'
import { recorder } from './recorder.js'

// What is counted of the events of modules, as a table.

interface Row {
  readonly event: string
  readonly type: MetricType
  readonly name: string
  readonly help: string
  /** Names of the labels. */
  readonly labels: readonly string[]
  read(payload: unknown): { readonly value: number; readonly labels: Labels }
}

function row<Name extends keyof ModuleEvents>(
  event: Name,
  type: MetricType,
  name: string,
  help: string,
  labels: Readonly<Record<string, (payload: ModuleEvents[Name]) => string | number>>,
  value: (payload: ModuleEvents[Name]) => number = () => 1,
): Row {
  const read = (given: unknown) => {
    // The bus delivers this event's payload under this event's name.
    const payload = given as ModuleEvents[Name]
    return {
      value: value(payload),
      labels: Object.fromEntries(Object.entries(labels).map(([label, of]) => [label, of(payload)])),
    }
  }
  return { event, type, name, help, labels: Object.keys(labels), read }
}

const module = { module: ({ id }: { id: string }) => id }
const job = { job: ({ id }: { id: string }) => id }
const model = { model: (payload: { model: string }) => payload.model }

const rows: readonly Row[] = [
  row('module.loaded', 'counter', 'enigma_module_loads_total', 'Loads of a module', module),
  row('module.loaded', 'histogram', 'enigma_module_load_seconds', 'How long loads took', module, ({ ms }) => ms / 1000),
  row('module.started', 'counter', 'enigma_module_starts_total', 'Starts of a module', module),
  row('module.started', 'histogram', 'enigma_module_start_seconds', 'How long starts took', module, ({ ms }) => ms / 1000),
  row('module.stopped', 'counter', 'enigma_module_stops_total', 'Stops of a module', module),
  row('module.unloaded', 'counter', 'enigma_module_unloads_total', 'Unloads of a module', module),
  row('module.error', 'counter', 'enigma_module_errors_total', 'Failures of a module', { ...module, code: ({ code }) => code }),
  row('module.slow', 'counter', 'enigma_module_slow_total', 'Operations that took long', {
    ...module,
    operation: (p) => p.operation,
  }),
  row('module.state', 'gauge', 'enigma_module_active', '1 while a module is active', module, ({ to }) =>
    to === 'active' ? 1 : 0,
  ),
  row('bus.error', 'counter', 'enigma_handler_errors_total', 'Event handlers that threw', { module: (p) => p.module ?? 'none' }),
  row('generation.finished', 'counter', 'enigma_generated_tokens_total', 'Tokens generated', model, ({ tokens }) => tokens),
  row(
    'generation.finished',
    'gauge',
    'enigma_generation_tokens_per_second',
    'Speed of the last answer',
    model,
    (p) => p.tokensPerSecond,
  ),
  row('generation.failed', 'counter', 'enigma_generation_failures_total', 'Requests that failed', model),
  row('training.report', 'gauge', 'enigma_training_loss', 'Nats per token at the last step', job, ({ loss }) => loss),
  row('training.report', 'gauge', 'enigma_training_tokens_per_second', 'Speed of a training', job, (p) => p.tokensPerSecond),
  row('garbage.collected', 'counter', 'enigma_garbage_collected_bytes_total', 'Bytes cleaned up', {}, ({ bytes }) => bytes),
]

/** Counts what has happened already, as far as the bus remembers, and what happens from now on. */
export function countEvents(metrics: Metrics, events: ModuleContext['events']): void {
  const sinks = new Map<string, ((payload: unknown) => void)[]>()
  for (const { event, type, name, help, labels, read } of rows) {
    const sink = (payload: unknown) => {
      const { value, labels: of } = read(payload)
      // A loss that is no number is the training's concern.
      if (Number.isFinite(value)) recorder(metrics, type, name, { help, labels })(value, of)
    }
    sinks.set(event, [...(sinks.get(event) ?? []), sink])
  }
  for (const { name, payload } of events.recent()) for (const sink of sinks.get(name) ?? []) sink(payload)
  for (const [event, list] of sinks) {
    events.on(event, (payload) => {
      for (const sink of list) sink(payload)
    })
  }
}
