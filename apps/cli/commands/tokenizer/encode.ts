import { command } from '../../command.js'
import { readStdin } from '../../stdin.js'

interface Flags {
  readonly tokenizer?: string
}

export const tokenizerEncode = command<Flags>({
  name: 'tokenizer encode',
  summary: 'text to token ids',
  arguments: [{ name: '[text]', text: 'without it, stdin is read' }],
  options: [{ flags: '--tokenizer <file>', text: "tokenizer.json, or a model's name or folder (default: the model that ships)" }],
  async run({ args, options, out }) {
    const text = args[0] ?? (await readStdin())
    const { openTokenizer } = await import('../../tokenizers.js')
    const ids = Array.from((await openTokenizer(options.tokenizer)).encode(text))
    out.result({ ids }, () => ids.join(' '))
    return 0
  },
})
