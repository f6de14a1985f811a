import type { Device } from '@enigma/tensor'
import type { Windows } from '../data/index.js'

export interface LossOptions {
  readonly batch: number
  readonly length: number
  readonly threads?: number
  readonly spin?: boolean
  readonly device?: Device
}

/** The mean next-token loss of fixed-size batches. */
export interface LossSource {
  readonly tokens: BigInt64Array
  /** -100: not counted. */
  readonly targets: BigInt64Array
  /** Mean loss in nats of the batch in `tokens` and `targets`. */
  run(): Promise<number>
  close(): void
}

export interface MeasuredLoss {
  /** Nats per token, special tokens not counted. */
  readonly loss: number
  /** Bits per byte of text: the loss that does not depend on the tokenizer. */
  readonly bitsPerByte: number
  /** UTF-8 bytes of the text that was predicted. */
  readonly bytes: number
  readonly tokens: number
}

/** The mean loss over all windows. */
export async function measureLoss(
  program: LossSource,
  windows: Windows,
  { signal, onProgress }: { signal?: AbortSignal; onProgress?: (done: number, total: number) => void } = {},
): Promise<MeasuredLoss> {
  let [nats, tokens, bytes, done] = [0, 0, 0, 0]
  for (;;) {
    signal?.throwIfAborted()
    const batch = windows.nextInto(program.tokens, program.targets)
    if (!batch) break
    // Windows may hold special tokens alone.
    if (batch.tokens > 0) nats += (await program.run()) * batch.tokens
    tokens += batch.tokens
    bytes += batch.bytes
    done += batch.windows
    onProgress?.(done, windows.count)
  }
  return { loss: nats / tokens, bitsPerByte: nats / Math.LN2 / bytes, bytes, tokens }
}
