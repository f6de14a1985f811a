/** One sample: a fresh process whose last line on stdout is a JSON object. */
import { spawn } from 'node:child_process'
import { busyMilliseconds } from './machine.mjs'

/**
 * Runs a process to its end.
 * @returns `{ sample, wallMs, others }` (`others`: cores that other processes kept busy meanwhile, when the sample tells its
 *   own `cpuMs`), or `{ failure }`, a sentence.
 */
export async function runChild({ command, args, env = {}, timeoutMs = 600_000 }) {
  const busyBefore = busyMilliseconds()
  const start = performance.now()
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (err = (err + text).slice(-4000)))
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
  const ending = await new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not start: ${error.message}`))
    child.once('close', (code, signal) => resolve(code === 0 ? undefined : `ended with ${signal ?? `exit code ${code}`}`))
  })
  clearTimeout(timer)
  const wallMs = performance.now() - start
  if (ending !== undefined) return { failure: [ending, err.trim().split('\n').at(-1)].filter(Boolean).join(': ') }
  const line = out.trim().split('\n').at(-1) ?? ''
  try {
    const sample = JSON.parse(line)
    const busy = busyMilliseconds() - busyBefore
    return { sample, wallMs, ...(sample.cpuMs === undefined ? {} : { others: Math.max(0, (busy - sample.cpuMs) / wallMs) }) }
  } catch {
    return { failure: `its last line is no JSON: ${line.slice(0, 120)}` }
  }
}
