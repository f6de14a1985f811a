import type { Completion, GenerateOptions, TextGeneration } from 'enigma'
import { type AnswerFlags, answerFlags, answerOptions, toolsOf } from '../answer-options.js'
import { command } from '../command.js'
import { CliError } from '../errors.js'
import { type GenerationFlags, generateOptions, generationOptions } from '../generation-options.js'
import { Interrupt } from '../interrupt.js'
import type { Output } from '../output/output.js'
import { type Generation, loadGeneration, openManager } from '../session.js'
import { readStdin } from '../stdin.js'

type Flags = GenerationFlags & AnswerFlags

export const run = command<Flags>({
  name: 'run',
  summary: 'continue a text, once',
  arguments: [{ name: '[prompt]', text: 'what to continue; without it, or as -, stdin is read' }],
  options: [...generationOptions, ...answerFlags],
  notes: [
    'Prints the new text as it comes. --json prints {text, tokens, tokensPerSecond, finishReason, model} when it is done, with --choices,',
    '--beams a list of them, with --tools {content, toolCalls, …}.',
    '',
    '  enigma run "Once upon a time" --max-tokens 64 --seed 7',
    '  echo "The king said:" | enigma run --temperature 0 --json',
    '  enigma run "A fox as JSON:" --json-schema fox.schema.json',
  ],
  async run({ options, args, out }) {
    const [given] = args
    if ((given === undefined || given === '-') && process.stdin.isTTY) {
      throw new CliError('NO_INPUT', 'Nothing to continue. Give a prompt, such as: enigma run "Once upon a time"')
    }
    const prompt = given === undefined || given === '-' ? await readStdin() : given
    if (prompt === '') throw new CliError('NO_INPUT', 'The prompt is empty. Give some text to continue.')
    const answer = await answerOptions(options)
    const tools = await toolsOf(options)

    using interrupt = new Interrupt()
    await using manager = await openManager(out)
    const generation = await loadGeneration(manager, options)
    const settings = { ...generateOptions(options), ...answer, signal: interrupt.signal }
    if (tools) {
      const { content, toolCalls, tokens, tokensPerSecond, finishReason, model } = await generation
        .own('--tools')
        .chatWithTools([{ role: 'user', content: prompt }], { ...settings, ...tools })
      out.data({ content, toolCalls, tokens, tokensPerSecond, finishReason, model })
      return interrupt.exitCode
    }
    const several = await severalAnswers(generation, prompt, settings, options)
    if (several) showAll(out, several)
    else show(out, await streamed(generation.engine, prompt, settings, out), generation.module)
    return interrupt.exitCode
  },
})

async function streamed(engine: TextGeneration, prompt: string, settings: GenerateOptions, out: Output): Promise<Completion> {
  const stream = engine.stream(prompt, settings)
  for await (const piece of stream) if (!out.json) out.written(piece)
  return stream.result
}

/** What is not streamed: beams, or several texts; undefined where one text is asked for. */
function severalAnswers(
  generation: Generation,
  prompt: string,
  settings: GenerateOptions,
  { beams, lengthPenalty, choices }: Flags,
): Promise<Completion[]> | undefined {
  if (beams !== undefined)
    return generation.own('--beams').beams(prompt, {
      ...settings,
      beams,
      ...(lengthPenalty !== undefined && { lengthPenalty }),
      ...(choices !== undefined && { n: choices }),
    })
  return choices === undefined ? undefined : generation.own('--choices').choices(prompt, choices, settings)
}

function show(out: Output, completion: Completion, module: string): void {
  if (out.json) out.data({ ...shown(completion), ...(module !== 'inference' && { module }) })
  else out.piece('\n')
  out.hint(out.color.dim(summary(completion, module)))
}

function showAll(out: Output, completions: readonly Completion[]): void {
  if (out.json) {
    out.data(completions.map(shown))
    return
  }
  for (const completion of completions) {
    out.written(completion.text)
    out.piece('\n')
    out.hint(out.color.dim(summary(completion)))
  }
}

function shown({ text, tokens, tokensPerSecond, finishReason, model, ...more }: Completion): Record<string, unknown> {
  const { logprobs, stopString, droppedTokens } = more
  const score = (more as { score?: number }).score
  const rest = { score, stopString, droppedTokens: droppedTokens || undefined, logprobs }
  const present = Object.entries(rest).filter(([, value]) => value !== undefined)
  return { text, tokens, tokensPerSecond, finishReason, model, ...Object.fromEntries(present) }
}

function summary({ model, tokens, tokensPerSecond, finishReason, droppedTokens }: Completion, module = 'inference'): string {
  const who = module === 'inference' ? model : `${model} (${module})`
  const left = droppedTokens ? `, ${droppedTokens} tokens of the prompt left out` : ''
  return `${who}: ${tokens} tokens at ${Math.round(tokensPerSecond)} a second (${finishReason}${left})`
}
