// One sample: a child process that publishes with one subject and prints one JSON line.
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    subject: { type: 'string' },
    listeners: { type: 'string' },
    publishes: { type: 'string' },
    wildcard: { type: 'boolean', default: false },
  },
})

const names = Array.from({ length: 16 }, (_, i) => `bench.topic${i}`)
const listeners = Number(values.listeners)
const turns = 32
/** Publishes of one turn, each name as often as the others. */
const perTurn = Math.max(names.length, Math.round(Number(values.publishes) / turns / names.length) * names.length)

/** Events each listener has had; the last is the wildcard's. */
const counts = new Float64Array(names.length * listeners + 1)

/** A function with code of its own: closures of one piece of code would be one inlined function to V8, and dispatch free. */
function listener(index, parameters = 'payload') {
  return new Function('counts', `return function listener${index}(${parameters}) { counts[${index}] += payload.n }`)(counts)
}

const { subject } = await import(`./subjects/${values.subject}.mjs`)
const bus = await subject()
names.forEach((name, i) => {
  for (let k = 0; k < listeners; k++) bus.on(name, listener(i * listeners + k))
})
if (values.wildcard) bus.onAny((parameters) => listener(names.length * listeners, parameters))

function publish() {
  for (let i = 0; i < perTurn; i++) bus.emit(names[i & 15], { n: 1 })
}

/** Some publishes, then room for what they have put off. */
async function publishTurns() {
  for (let turn = 0; turn < turns; turn++) {
    publish()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

await publishTurns() // compiles
counts.fill(0)
const cpu = process.cpuUsage()
const wall = performance.now()
await publishTurns()
const wallSeconds = (performance.now() - wall) / 1000
const { user, system } = process.cpuUsage(cpu)

const publishes = turns * perTurn
const own = counts.subarray(0, -1)
const wrongWildcard = counts.at(-1) !== (values.wildcard ? publishes : 0)
const all = process.cpuUsage()
console.log(
  JSON.stringify({
    cpuMs: (all.user + all.system) / 1000,
    perCpuSecond: publishes / ((user + system) / 1e6),
    perWallSecond: publishes / wallSeconds,
    delivered: counts.reduce((sum, count) => sum + count, 0),
    expected: publishes * (listeners + (values.wildcard ? 1 : 0)),
    wrongListeners: own.filter((count) => count !== publishes / names.length).length + (wrongWildcard ? 1 : 0),
  }),
)
