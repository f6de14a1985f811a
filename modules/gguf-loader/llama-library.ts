import { EngineError } from '@enigma/engines'

// What is used of node-llama-cpp 3.21. Its own types are not imported, as the package is optional: without it the house still builds.

export interface Llama {
  /** `false` means the processor. */
  readonly gpu: false | string
  loadModel(options: {
    modelPath: string
    gpuLayers: number
    useMmap?: boolean
    defaultContextFlashAttention?: boolean
  }): Promise<LlamaModel>
  createGrammarForJsonSchema(schema: unknown): Promise<LlamaGrammar>
}

export interface LlamaGrammar {
  readonly grammar: string
}

export interface LlamaModel {
  readonly tokens: {
    readonly bos: number | null
    readonly eos: number | null
    readonly shouldPrependBosToken: boolean
    readonly infill: { readonly prefix: number | null; readonly suffix: number | null; readonly middle: number | null }
  }
  readonly fileInfo: { readonly metadata: { readonly tokenizer?: { readonly chat_template?: unknown } } }
  readonly memoryUsage: { readonly ram: number; readonly vram: number }
  readonly trainContextSize: number
  readonly typeDescription: string
  tokenize(text: string, specialTokens: boolean): number[]
  detokenize(tokens: readonly number[], specialTokens: boolean, lastTokens?: readonly number[]): string
  iterateAllTokens(): Iterable<number>
  getTokenAttributes(token: number): { readonly control: boolean; readonly userDefined: boolean }
  createContext(options: {
    contextSize: number
    sequences: number
    batchSize?: number
    flashAttention?: boolean
    threads?: number
    experimentalKvCacheKeyType: string
    experimentalKvCacheValueType: string
  }): Promise<{ getSequence(): LlamaSequence }>
}

export interface EvaluateOptions {
  readonly temperature: number
  readonly topK: number
  readonly topP: number
  readonly minP: number
  readonly seed: number
  readonly repeatPenalty?: {
    readonly punishTokens: () => number[]
    readonly maxPunishTokens: number
    readonly penalty: number
    readonly frequencyPenalty: number
    readonly presencePenalty: number
  }
  readonly tokenBias?: unknown
  readonly grammarEvaluationState?: unknown
}

export interface LlamaSequence {
  /** Tokens that it has read. */
  readonly nextTokenIndex: number
  /** Forgets what does not begin so. */
  adaptStateToTokens(tokens: readonly number[], allowShift?: boolean): Promise<void>
  clearHistory(): Promise<void>
  evaluateWithoutGeneratingNewTokens(tokens: readonly number[]): Promise<void>
  /** New tokens, until the model ends its text. */
  evaluate(tokens: readonly number[], options: EvaluateOptions): AsyncGenerator<number, void>
}

export interface LlamaLibrary {
  getLlama(options: {
    build: 'never'
    skipDownload: true
    gpu: 'auto' | false
    logLevel: string
    progressLogs: false
    maxThreads?: number
  }): Promise<Llama>
  readonly LlamaGrammarEvaluationState: new (options: { model: LlamaModel; grammar: LlamaGrammar }) => unknown
  readonly TokenBias: { for(model: LlamaModel): TokenBias }
}

export interface TokenBias {
  set(tokens: number[], bias: { readonly logit: number }): TokenBias
}

/** The version that this module was tried with. */
const version = '3.21.1'

/** @throws EngineError NOT_INSTALLED with the command that installs it */
export async function importLlama(name: string): Promise<LlamaLibrary> {
  try {
    return (await import(name)) as LlamaLibrary
  } catch (cause) {
    const missing = (cause as { code?: unknown }).code === 'ERR_MODULE_NOT_FOUND'
    const why = missing ? 'is not installed' : `cannot be loaded (${cause instanceof Error ? cause.message : cause})`
    const fix = `Run: npm install ${name}@${version}`
    throw new EngineError('NOT_INSTALLED', `GGUF files are run by llama.cpp, whose package ${name} ${why}. ${fix}`, { cause })
  }
}
