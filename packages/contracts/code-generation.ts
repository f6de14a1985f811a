import { token } from '@enigma/kernel'
import type { Completion, GenerateOptions, GenerationStream } from './text-generation.js'

/** Writes code where the cursor stands. */
export interface CodeGeneration {
  /** Name of the model that answers. */
  readonly model: string
  /**
   * The new code between two others, without either.
   * @param prefix what stands before the cursor
   * @param suffix what stands after it; without it the prefix is continued. Rejects with a code where the model cannot look ahead
   */
  complete(prefix: string, suffix?: string, options?: GenerateOptions): Promise<Completion>
  stream(prefix: string, suffix?: string, options?: GenerateOptions): GenerationStream
}

export const CodeGeneration = token<CodeGeneration>('code-generation', '1.0')
