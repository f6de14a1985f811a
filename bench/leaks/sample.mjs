// One sample: a child process that repeats a cycle and prints, as one JSON line, how memory grows with it. Needs --expose-gc.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { slopeOf } from '../harness/slope.mjs'

const { values } = parseArgs({
  options: { cycle: { type: 'string' }, subject: { type: 'string' }, warmup: { type: 'string' }, cycles: { type: 'string' } },
})
const points = 40

async function bytesInUse() {
  // What is weakly held goes in steps: a finaliser frees what the next collection takes.
  for (let i = 0; i < 4; i++) {
    await nextTurn()
    globalThis.gc()
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

const { subjects } = await import(`./subjects/${values.cycle}.mjs`)
const { cycle, close } = await subjects[values.subject]()
const cycles = Number(values.cycles)
for (let i = 0; i < Number(values.warmup); i++) await cycle()
const measured = [[0, await bytesInUse()]]
const cpu = process.cpuUsage()
for (let i = 1; i <= cycles; i++) {
  await cycle()
  if (i % Math.ceil(cycles / points) === 0 || i === cycles) measured.push([i, await bytesInUse()])
}
const { user, system } = process.cpuUsage(cpu)
await close?.()
console.log(JSON.stringify({ cpuMs: (user + system) / 1000, cycles, ...slopeOf(measured) }))
process.exit(0)
