import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { train } from '../training/train.js'
import type { TrainEvent, TrainResult } from '../training/train-events.js'
import type { TrainOptions } from '../training/train-options.js'
import { sampleText } from './sample-text.js'

/** A temporary folder with a text in it, and trainings small enough for tests. */
export class RunFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'enigma-train-'))
  readonly base: TrainOptions

  constructor() {
    this.base = {
      data: [this.write('text.txt', sampleText(1200))],
      out: this.at('model'),
      size: 'nano',
      vocabSize: 300,
      steps: 12,
      batch: 2,
      sequence: 32,
      reportEvery: 1,
      checkpointEvery: 4,
      validateEvery: 6,
      sampleEvery: 0,
      valid: '0.1',
      threads: 2,
      spin: false,
    }
  }

  at(name: string): string {
    return join(this.path, name)
  }

  write(name: string, content: string): string {
    writeFileSync(this.at(name), content)
    return this.at(name)
  }

  /** Whether two models have the same weights, byte for byte. */
  async sameWeights(one: string, other: string): Promise<boolean> {
    const [a, b] = await Promise.all([one, other].map((out) => readFile(join(out, 'model.safetensors'))))
    return a!.equals(b!)
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

/** Trains and gives everything that was told. */
export async function collect(options: TrainOptions): Promise<{ events: TrainEvent[]; result: TrainResult }> {
  const events: TrainEvent[] = []
  const result = await train(options, (event) => events.push(event))
  return { events, result }
}

/**
 * Trains in a child process, which may be killed outright: `watch` is told when the process runs and what it tells.
 * @returns true when it ended by itself, false when it was killed
 * @throws Error with what it said when it failed
 */
export function trainInChild(
  options: TrainOptions,
  watch: (kill: () => void, event: TrainEvent | undefined) => void,
): Promise<boolean> {
  const child = spawn(process.execPath, [new URL('./train-child.js', import.meta.url).pathname, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const kill = () => void child.kill('SIGKILL')
  child.on('spawn', () => watch(kill, undefined))
  createInterface({ input: child.stdout }).on('line', (line) => watch(kill, JSON.parse(line) as TrainEvent))
  let said = ''
  child.stderr.on('data', (text) => (said += text))
  return new Promise((resolve, reject) => {
    child.on('close', (code, signal) => {
      if (code === 0 || signal === 'SIGKILL') resolve(code === 0)
      else reject(new Error(said))
    })
  })
}
