/** The matrix: what goes wrong, where the module runs, and when. Data only. */

export const runtimes = ['inproc', 'worker', 'process']
export const phases = ['load', 'start', 'run', 'stop']

/** Milliseconds an operation of the faulty module may take, by runtime: a thread and a process take their time to begin. */
export const limits = { inproc: 400, worker: 4000, process: 4000 }
export const grace = 100

const outOfMemory = /SIGABRT|exit code 134/
const killedByParent = /SIGKILL/

/**
 * What the faulty code does, as text of a function body; `ctx` is its context. `late` milliseconds after it has been given up,
 * it would register something. `dies`: how the whole host dies or stands still, and in which runtimes: the documented exceptions.
 */
export const faults = {
  hang: { code: 'return new Promise(() => undefined)' },
  throw: { code: "throw new Error('deliberate')", run: "ctx.timers.setTimeout(() => { throw new Error('deliberate') }, 1)" },
  reject: { code: "return Promise.reject(new Error('deliberate'))" },
  'late effect': {
    code: `return new Promise((resolve) => setTimeout(resolve, late)).then(() => {
      ctx.events.on('faulty.late', () => undefined)
      ctx.timers.setInterval(() => undefined, 1000)
    })`,
  },
  exit: { code: 'process.exit(7)', dies: { inproc: /exit code 7/ } },
  'out of memory': {
    code: 'const kept = []; for (;;) kept.push(new Array(1e5).fill(kept.length))',
    dies: { inproc: outOfMemory },
  },
  'one growing array': {
    code: 'const kept = []; for (;;) kept.push(kept.length)',
    dies: { inproc: outOfMemory, worker: outOfMemory },
  },
  'endless loop': { code: 'for (;;);', dies: { inproc: killedByParent } },
}

/** The files of the faulty module. */
export function faultyModule({ fault, runtime, phase }) {
  const { code, run } = faults[fault]
  const limit = limits[runtime]
  const broken = `(ctx) => { const late = ${limit + 8 * grace}; ${(phase === 'run' && run) || code} }`
  const at = (name) => (phase === name ? 'return broken(ctx)' : '')
  return {
    'module.yaml': `id: faulty
version: 1.0.0
entry: ./index.mjs
runtime: ${runtime}
provides: [faulty-service]
resources: { ram: 64MB }
lifecycle: { loadTimeout: ${limit}ms, startTimeout: ${limit}ms, stopTimeout: ${limit}ms, restart: never }
`,
    'index.mjs': `const broken = ${broken}
const api = (ctx) => ({ run: () => { ${phase === 'run' ? 'return broken(ctx)' : "return 'fine'"} } })
export default {
  load(ctx) {
    ctx.provide({ name: 'faulty-service', version: '1.0' }, api(ctx))
    ctx.events.on('faulty.ping', () => undefined)
    ctx.timers.setInterval(() => undefined, 1000)
    ${at('load')}
    return api(ctx)
  },
  start(ctx) {
    ctx.events.on('faulty.ping', () => undefined)
    ${at('start')}
  },
  stop(ctx) { ${at('stop')} },
}
`,
  }
}
