import { command } from '../../command.js'
import { CliError } from '../../errors.js'
import { readStdin } from '../../stdin.js'

interface Flags {
  readonly tokenizer?: string
}

export const tokenizerDecode = command<Flags>({
  name: 'tokenizer decode',
  summary: 'token ids to text',
  arguments: [{ name: '[ids...]', text: 'numbers; without them, stdin is read' }],
  options: [{ flags: '--tokenizer <file>', text: "tokenizer.json, or a model's name or folder (default: the model that ships)" }],
  async run({ args, options, out }) {
    const words = (args.length > 0 ? args.join(' ') : await readStdin()).split(/[\s,]+/).filter(Boolean)
    const wrong = words.find((word) => !/^\d+$/.test(word))
    if (wrong !== undefined) throw new CliError('USAGE', `'${wrong}' is no token id: ids are whole numbers.`)
    const { openTokenizer } = await import('../../tokenizers.js')
    const text = (await openTokenizer(options.tokenizer)).decode(words.map(Number))
    out.result({ text }, () => text)
    return 0
  },
})
