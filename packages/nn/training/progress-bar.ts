import type { TrainingCallback } from './callbacks.js'

interface Output {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

const shown = (value: number) => (Math.abs(value) >= 1e-3 ? value.toFixed(4) : value.toExponential(2))
const duration = (seconds: number) =>
  seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
const list = (loss: number, metrics: Readonly<Record<string, number>>, prefix = '') =>
  [['loss', loss] as const, ...Object.entries(metrics)].map(([name, value]) => `${prefix}${name} ${shown(value)}`).join('  ')

/**
 * A callback that shows how training goes: a live line on a terminal, one line per epoch everywhere.
 * @param output default: standard error
 */
export function progressBar(output: Output = process.stderr): TrainingCallback {
  let drawn = 0
  const live = (text: string) => {
    output.write(`\r${text.slice(0, (output.columns ?? 80) - 1)}\x1b[K`)
  }
  return {
    onStep({ epoch, epochs, step, steps, loss, metrics, examplesPerSecond, etaSeconds }) {
      const now = performance.now()
      if (!output.isTTY || now - drawn < 100) return
      drawn = now
      const filled = Math.round((20 * step) / steps)
      const bar = '█'.repeat(filled) + '░'.repeat(20 - filled)
      live(
        `epoch ${epoch + 1}/${epochs}  ${bar}  ${list(loss, metrics)}  ${Math.round(examplesPerSecond)} examples/s  ${duration(etaSeconds)} left`,
      )
    },
    onEpochEnd({ epoch, epochs, loss, metrics, valid, seconds }) {
      if (output.isTTY) live('')
      const validation = valid ? `  ${list(valid.loss, valid.metrics, 'valid ')}` : ''
      output.write(`epoch ${epoch + 1}/${epochs}  ${list(loss, metrics)}${validation}  ${duration(seconds)}\n`)
    },
  }
}
