import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

// The real command in a real process, in a folder and a home of its own.

export const bin = fileURLToPath(new URL('../bin/enigma.js', import.meta.url))

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

interface RunOptions {
  readonly stdin?: string
  readonly env?: Readonly<Record<string, string>>
  /** Sees stdout as it grows, and the process: to send it signals. */
  readonly watch?: (stdout: string, kill: (signal: NodeJS.Signals) => void) => void
}

/** A folder to run in, with a home; removed at the end of the test file. */
export class Place implements AsyncDisposable {
  private constructor(readonly folder: string) {}

  static async make(): Promise<Place> {
    return new Place(await mkdtemp(join(tmpdir(), 'enigma-cli-')))
  }

  path(...parts: string[]): string {
    return join(this.folder, ...parts)
  }

  async write(name: string, text: string): Promise<string> {
    await writeFile(this.path(name), text)
    return this.path(name)
  }

  get environment(): Record<string, string> {
    const { PATH = '' } = process.env
    return { PATH, ENIGMA_HOME: this.path('home'), HF_HOME: this.path('hf'), NO_COLOR: '1' }
  }

  /** Runs `enigma …` and waits for its end. */
  run(args: readonly string[], { stdin, env, watch }: RunOptions = {}): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [bin, ...args], { cwd: this.folder, env: { ...this.environment, ...env } })
      let stdout = ''
      let stderr = ''
      child.stdout.setEncoding('utf8').on('data', (piece: string) => {
        stdout += piece
        watch?.(stdout, (signal) => child.kill(signal))
      })
      child.stderr.setEncoding('utf8').on('data', (piece: string) => {
        stderr += piece
      })
      child.on('error', reject)
      child.on('close', (code) => resolve({ code, stdout, stderr }))
      child.stdin.on('error', () => undefined)
      child.stdin.end(stdin ?? '')
    })
  }

  async json<T>(args: readonly string[]): Promise<T> {
    const { code, stdout, stderr } = await this.run([...args, '--json'])
    if (code !== 0) throw new Error(`enigma ${args.join(' ')} ended with ${code}: ${stderr}`)
    return JSON.parse(stdout) as T
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** English-like text of some lines: enough for a tokenizer and a model that learns something. */
export function sampleText(lines: number): string {
  const words =
    'once upon a time there was little king who had three sons and the youngest went into dark forest to find golden bird'.split(
      ' ',
    )
  let state = 7
  const next = () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648)
  const line = () => Array.from({ length: 9 }, () => words[next() % words.length]).join(' ')
  return `${Array.from({ length: lines }, () => `The ${line()}.`).join('\n')}\n`
}

/** Quick training of a tiny model: about a second of steps. */
export const tiny = ['--size', 'nano', '--vocab-size', '400', '--sequence', '32', '--batch', '4', '--threads', '1']
