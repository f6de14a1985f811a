import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Tokenizer, trainBpe } from '../tokenizer/index.js'

/** A folder under the system's temporary one, removed when disposed of. */
export class TemporaryFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'enigma-data-'))

  /** Writes a file and returns its path. */
  write(name: string, content: string | Uint8Array): string {
    const path = this.at(name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
    return path
  }

  at(name: string): string {
    return join(this.path, name)
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

/** A small tokenizer that knows some English. */
export async function smallTokenizer(): Promise<Tokenizer> {
  const text = 'the quick brown fox jumps over the lazy dog. the lazy dog sleeps; the quick fox does not.\n'
  return (await trainBpe({ texts: [text.repeat(3)], vocabSize: 300 })).tokenizer
}

/** Paragraphs that are all different. */
export function story(paragraphs: number, name = 'story'): string {
  return Array.from(
    { length: paragraphs },
    (_, i) => `${name} ${i}: the quick fox number ${i * 7919} jumps over dog ${i * 31}.\n`,
  ).join('\n')
}
