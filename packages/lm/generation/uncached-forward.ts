import { type Parameter, traceNetwork } from '@enigma/nn'
import { compile, type Executable } from '@enigma/tensor'
import type { LanguageModel } from '../language-model.js'
import { LlamaForCausalLM } from '../model/llama.js'
import { dequantized } from '../quantization/quantization.js'
import type { DecoderOptions } from './decoder.js'
import type { Forward } from './forward.js'
import type { GenerationResult } from './generation-options.js'
import type { SequenceGeneration } from './sequence-generation.js'

const bucket = 64

interface CompiledLength {
  readonly executable: Executable
  readonly parameters: Readonly<Record<string, Parameter>>
}

/**
 * Next-token logits without a cache, by the program that training differentiates: slow, and independent of the decoding
 * program, which it serves to check; quantized weights are taken as the numbers they stand for. Lengths are rounded up to a multiple of 64; the future is masked, so padding changes nothing.
 */
export class UncachedForward implements Forward {
  readonly #options: DecoderOptions
  readonly #network: LlamaForCausalLM
  readonly #compiled = new Map<number, CompiledLength>()

  constructor(model: LanguageModel, options: DecoderOptions) {
    this.#options = options
    this.#network = new LlamaForCausalLM(model.config)
    this.#network.loadStateDict(dequantized(model.stored))
  }

  async next(tokens: readonly number[]): Promise<Float32Array> {
    const { context, vocabSize } = this.#network.config
    const length = Math.min(context, Math.ceil(tokens.length / bucket) * bucket)
    const { executable, parameters } = await this.#program(length)
    const padded = BigInt64Array.from({ length }, (_, index) => BigInt(tokens[index] ?? 0))
    const { logits } = await executable.run({ ...parameters, tokens: { dtype: 'i64', shape: [1, length], data: padded } })
    const start = (tokens.length - 1) * vocabSize
    return (logits!.data as Float32Array).slice(start, start + vocabSize)
  }

  /** It keeps nothing of a text: one serves all. Only the first is closed. */
  fork(): Forward {
    return { next: (tokens) => this.next(tokens), fork: () => this.fork(), close: () => undefined }
  }

  close(): void {
    for (const { executable } of this.#compiled.values()) executable.release()
    this.#compiled.clear()
  }

  async #program(length: number): Promise<CompiledLength> {
    const known = this.#compiled.get(length)
    if (known) return known
    const { program, parameters } = traceNetwork({ tokens: { shape: [1, length], dtype: 'i64' } }, ({ tokens }) => ({
      logits: this.#network.forward(tokens),
    }))
    const compiled = { executable: await compile(program, this.#options), parameters }
    this.#compiled.set(length, compiled)
    return compiled
  }
}

/** Streams a text, then closes `forward`. */
export async function* generateUncached(
  forward: Forward,
  sequence: SequenceGeneration,
  signal: AbortSignal | undefined,
): AsyncGenerator<string, GenerationResult> {
  let started: number | undefined
  try {
    while (!sequence.finished) {
      const logits = signal?.aborted ? undefined : await forward.next(sequence.tokens)
      started ??= performance.now()
      const piece = logits ? sequence.step(logits) : sequence.finish('abort')
      if (piece) yield piece
    }
    return sequence.result((performance.now() - started!) / 1000)
  } finally {
    forward.close()
  }
}
