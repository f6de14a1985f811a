import { spawn } from 'node:child_process'
import { errorCode } from '@enigma/tensor/formats'
import { KneserNey } from './kneser-ney.js'

/** What something else than the model makes of the same bytes. */
export interface Reference {
  readonly name: string
  /** Null where it could not be measured. */
  readonly bitsPerByte: number | null
  /** What it was made from, or why it could not be measured. */
  readonly note?: string
}

/** What a model was measured on: tokens, and which of them count. */
export interface MeasuredText {
  readonly tokens: ArrayLike<number>
  /** Places of the tokens that were predicted. */
  readonly counted: readonly number[]
  /** The bytes of those tokens, in order. */
  readonly bytes: Uint8Array
}

/** The size of the bytes as the strongest setting of xz (LZMA2) packs them, headers included. */
export async function xzReference({ bytes }: MeasuredText, program = 'xz', signal?: AbortSignal): Promise<Reference> {
  const name = 'xz -9e'
  try {
    const size = await packedSize(program, bytes, signal)
    return { name, bitsPerByte: (size * 8) / bytes.length }
  } catch (error) {
    signal?.throwIfAborted()
    const note = errorCode(error) === 'ENOENT' ? 'xz is not installed' : `xz failed: ${(error as Error).message}`
    return { name, bitsPerByte: null, note }
  }
}

function packedSize(program: string, bytes: Uint8Array, signal?: AbortSignal): Promise<number> {
  const child = spawn(program, ['-9e', '-T1', '-c'], { stdio: ['pipe', 'pipe', 'ignore'], ...(signal && { signal }) })
  return new Promise((resolve, reject) => {
    let size = 0
    child.on('error', reject)
    child.stdout.on('data', (piece: Uint8Array) => (size += piece.length))
    child.on('close', (code) => (code === 0 ? resolve(size) : reject(new Error(`it ended with ${code}`))))
    // Where it could not be started, `error` says so.
    child.stdin.on('error', () => undefined)
    child.stdin.end(bytes)
  })
}

/** A 5-gram model of the same tokens, learned from others, whose text it gets without breaks. */
export async function ngramReference(
  { tokens, counted, bytes }: MeasuredText,
  learned: ArrayLike<number>,
  vocabSize: number,
  signal?: AbortSignal,
): Promise<Reference> {
  const model = await KneserNey.train(learned, { vocabSize, ...(signal && { signal }) })
  let bits = 0
  for (const at of counted) bits -= Math.log2(model.probability(tokens, at))
  const note = `modified Kneser-Ney, of ${learned.length.toLocaleString('en-US')} tokens`
  return { name: '5-gram', bitsPerByte: bits / bytes.length, note }
}
