import { command } from '../command.js'
import { CliError } from '../errors.js'
import { type GenerationFlags, generateOptions, generationOptions } from '../generation-options.js'
import { Interrupt } from '../interrupt.js'
import { loadGeneration, openManager } from '../session.js'
import { readStdin } from '../stdin.js'

export const run = command<GenerationFlags>({
  name: 'run',
  summary: 'continue a text, once',
  arguments: [{ name: '[prompt]', text: 'what to continue; without it, or as -, stdin is read' }],
  options: generationOptions,
  notes: [
    'Prints the new text as it comes. --json prints {text, tokens, tokensPerSecond, finishReason, model} when it is done.',
    '',
    '  enigma run "Once upon a time" --max-tokens 64 --seed 7',
    '  echo "The king said:" | enigma run --temperature 0 --json',
  ],
  async run({ options, args, out }) {
    const [given] = args
    if ((given === undefined || given === '-') && process.stdin.isTTY) {
      throw new CliError('NO_INPUT', 'Nothing to continue. Give a prompt, such as: enigma run "Once upon a time"')
    }
    const prompt = given === undefined || given === '-' ? await readStdin() : given
    if (prompt === '') throw new CliError('NO_INPUT', 'The prompt is empty. Give some text to continue.')

    using interrupt = new Interrupt()
    await using manager = await openManager(out)
    const engine = await loadGeneration(manager, options)
    const stream = engine.stream(prompt, { ...generateOptions(options), signal: interrupt.signal })
    for await (const piece of stream) if (!out.json) out.written(piece)
    const { text, tokens, tokensPerSecond, finishReason, model } = await stream.result
    if (out.json) out.data({ text, tokens, tokensPerSecond, finishReason, model })
    else out.piece('\n')
    out.hint(out.color.dim(`${model}: ${tokens} tokens at ${Math.round(tokensPerSecond)} a second (${finishReason})`))
    return interrupt.exitCode
  },
})
