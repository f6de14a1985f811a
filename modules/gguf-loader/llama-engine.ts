import { type Answer, type AnswerRequest, EngineError } from '@enigma/engines'
import { ChatTemplate, defaultMaxTokens, resolveSampling, schemaOf, TextAssembly, WindowStreamDecoder } from '@enigma/lm'
import { checkGguf } from './gguf-check.js'
import {
  type EvaluateOptions,
  importLlama,
  type Llama,
  type LlamaLibrary,
  type LlamaModel,
  type LlamaSequence,
} from './llama-library.js'
import { llamaSchema } from './llama-schema.js'
import { LlamaVocabulary } from './llama-vocabulary.js'
import type { LoadOptions, ModelFacts } from './messages.js'
import { type PromptRules, promptOf } from './prompt.js'
import { SequencePool } from './sequence-pool.js'

/** Tokens that are read between two looks at whether the request was given up. */
const chunk = 256
/** Ends a grammar of node-llama-cpp; valid JSON never has it. */
const grammarEnd = '\n\n\n\n'
/** Tokens before the first new one that decide how it is written. */
const contextOfFirst = 8

type Request = Omit<AnswerRequest, 'push' | 'begun'> & Pick<AnswerRequest, 'begun' | 'push'>

/** llama.cpp with one model. */
export class LlamaEngine {
  readonly facts: ModelFacts
  readonly #library: LlamaLibrary
  readonly #llama: Llama
  readonly #model: LlamaModel
  readonly #pool: SequencePool
  readonly #rules: PromptRules

  private constructor(
    library: LlamaLibrary,
    llama: Llama,
    model: LlamaModel,
    sequences: readonly LlamaSequence[],
    context: number,
  ) {
    const { template, vocabulary } = spoken(model)
    const { prefix, suffix, middle } = model.tokens.infill
    const { ram, vram } = model.memoryUsage
    const infill = prefix !== null && suffix !== null && middle !== null
    this.facts = { context, kind: model.typeDescription, ram, vram, infill, device: llama.gpu === false ? 'cpu' : llama.gpu }
    this.#library = library
    this.#llama = llama
    this.#model = model
    this.#pool = new SequencePool(sequences)
    this.#rules = { vocabulary, template, tokens: model.tokens, context }
  }

  /** @throws EngineError NOT_INSTALLED, FILE_NOT_FOUND, MODEL_UNREADABLE */
  static async load({ file, library: name, ...options }: LoadOptions): Promise<LlamaEngine> {
    const library = await importLlama(name)
    await checkGguf(file)
    const { threads, gpuLayers, parallel, cacheType } = options
    const kv = cacheType.toUpperCase()
    try {
      const llama = await library.getLlama({
        ...{ build: 'never', skipDownload: true, progressLogs: false, logLevel: 'error' },
        gpu: gpuLayers > 0 ? 'auto' : false,
        maxThreads: threads,
      })
      const model = await llama.loadModel({ modelPath: file, gpuLayers })
      const contextSize = Math.min(options.context, model.trainContextSize)
      const context = await model.createContext({
        ...{ contextSize, sequences: parallel },
        ...{ experimentalKvCacheKeyType: kv, experimentalKvCacheValueType: kv },
        // Keys and values that are rounded can only be read so.
        flashAttention: cacheType === 'q8_0',
        threads,
      })
      const sequences = Array.from({ length: parallel }, () => context.getSequence())
      return new LlamaEngine(library, llama, model, sequences, contextSize)
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new EngineError('MODEL_UNREADABLE', `llama.cpp cannot run ${file}: ${why}`, { cause })
    }
  }

  /** One answer. It ends soon after the signal is aborted, with the signal's reason. */
  async answer({ ask, options, signal, begun, push }: Request): Promise<Answer> {
    const { tokens, droppedTokens, dropped, trimmed } = promptOf(ask, options, this.#rules)
    const limit = Math.min(options.maxTokens ?? defaultMaxTokens, this.#rules.context - tokens.length)
    return this.#pool.lend(tokens, async (sequence) => {
      signal.throwIfAborted()
      begun({ tokens: tokens.length, dropped, trimmed })
      if (options.cache === false) await sequence.clearHistory()
      // The last token is always read anew: what follows it is asked.
      await sequence.adaptStateToTokens(tokens.slice(0, -1), false)
      for (let at = sequence.nextTokenIndex; at < tokens.length - 1; at += chunk) {
        signal.throwIfAborted()
        await sequence.evaluateWithoutGeneratingNewTokens(tokens.slice(at, Math.min(at + chunk, tokens.length - 1)))
      }
      return this.#written(sequence, tokens, limit, { options, signal, push, droppedTokens })
    })
  }

  async #written(
    sequence: LlamaSequence,
    prompt: readonly number[],
    limit: number,
    { options, signal, push, droppedTokens }: Pick<Request, 'options' | 'signal' | 'push'> & { droppedTokens: number },
  ): Promise<{ known: readonly number[]; result: Answer }> {
    const schema = schemaOf(options.responseFormat)
    const decoder = new WindowStreamDecoder((ids) => this.#model.detokenize(ids, true, prompt.slice(-contextOfFirst)))
    const text = new TextAssembly(decoder, schema === undefined ? options.stop : [grammarEnd])
    const all = [...prompt]
    const settings = await this.#settings(options, schema, all)
    const started = performance.now()
    let [tokens, ended] = [0, false]
    for await (const token of sequence.evaluate(prompt.slice(-1), settings)) {
      signal.throwIfAborted()
      tokens++
      all.push(token)
      push(text.push(token))
      if (text.stop !== undefined || tokens === limit) {
        ended = true
        break
      }
    }
    signal.throwIfAborted()
    push(text.end())
    // The end token is one, too.
    const generated = ended ? tokens : tokens + 1
    const result: Answer = {
      text: text.text,
      tokens: generated,
      promptTokens: prompt.length,
      tokensPerSecond: generated / ((performance.now() - started) / 1000),
      finishReason: ended && text.stop === undefined ? 'length' : 'stop',
      ...(text.stop !== undefined && schema === undefined && { stopString: text.stop }),
      ...(droppedTokens > 0 && { droppedTokens }),
    }
    return { known: all.slice(0, sequence.nextTokenIndex), result }
  }

  /** @param all the text's tokens so far; grows */
  async #settings(options: AnswerRequest['options'], schema: unknown, all: readonly number[]): Promise<EvaluateOptions> {
    const { temperature, topK, topP, minP, seed, logitBias, ...penalties } = resolveSampling(options)
    const { repetitionPenalty, presencePenalty, frequencyPenalty } = penalties
    const lowered = repetitionPenalty !== 1 || presencePenalty !== 0 || frequencyPenalty !== 0
    const { model, library } = { model: this.#model, library: this.#library }
    return {
      ...{ temperature, topK, topP, minP, seed },
      ...(lowered && {
        repeatPenalty: {
          ...{ punishTokens: () => [...all], maxPunishTokens: this.#rules.context },
          ...{ penalty: repetitionPenalty, presencePenalty, frequencyPenalty },
        },
      }),
      ...(Object.keys(logitBias).length > 0 && {
        tokenBias: Object.entries(logitBias).reduce(
          (bias, [id, logit]) => bias.set([Number(id)], { logit }),
          library.TokenBias.for(model),
        ),
      }),
      ...(schema !== undefined && {
        grammarEvaluationState: new library.LlamaGrammarEvaluationState({
          model,
          grammar: await this.#llama.createGrammarForJsonSchema(llamaSchema(schema)),
        }),
      }),
    }
  }
}

/** How a model's conversations are written. */
function spoken(model: LlamaModel): Pick<PromptRules, 'vocabulary' | 'template'> {
  const vocabulary = new LlamaVocabulary(model)
  const source = model.fileInfo.metadata.tokenizer?.chat_template
  return { vocabulary, template: typeof source === 'string' ? new ChatTemplate(source, vocabulary) : undefined }
}
