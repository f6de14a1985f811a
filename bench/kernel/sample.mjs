// One sample: a child process that starts and stops the graph with one subject and prints one JSON line.
import { parseArgs } from 'node:util'
import { bodies } from './bodies.mjs'
import { makeGraph, Probe } from './graph.mjs'

const { values } = parseArgs({
  options: {
    subject: { type: 'string' },
    body: { type: 'string', default: 'synchronous' },
    modules: { type: 'string', default: '1000' },
  },
})

/** CPU and wall milliseconds of some work; the CPU time of the garbage collector and the compiler counts. */
async function measure(work) {
  const cpu = process.cpuUsage()
  const wall = performance.now()
  await work?.()
  const wallMs = performance.now() - wall
  const { user, system } = process.cpuUsage(cpu)
  return { cpuMs: (user + system) / 1000, wallMs }
}

/** Bytes of live objects; needs --expose-gc. */
function liveBytes() {
  for (let i = 0; i < 4; i++) globalThis.gc()
  return process.memoryUsage().heapUsed
}

const graph = makeGraph({ modules: Number(values.modules) })
const probe = new Probe(graph)
let subject
const imported = await measure(async () => ({ subject } = await import(`./subjects/${values.subject}.mjs`)))
const work = await subject({ graph, body: bodies[values.body](probe) })

const before = globalThis.gc && liveBytes()
const registered = await measure(work.register)
const started = await measure(work.start)
const bytesPerModule = globalThis.gc && (liveBytes() - before) / graph.nodes.length
const stopped = await measure(work.stop)

const { user, system } = process.cpuUsage()
console.log(
  JSON.stringify({
    cpuMs: (user + system) / 1000,
    import: imported,
    register: registered,
    start: { cpuMs: registered.cpuMs + started.cpuMs, wallMs: registered.wallMs + started.wallMs },
    stop: stopped,
    ...(globalThis.gc && { bytesPerModule }),
    ...probe.counters(),
  }),
)
// Peers that leave a timer behind must not hold the process.
process.exit(0)
