import { command } from '../../command.js'
import { Interrupt } from '../../interrupt.js'
import { count, duration } from '../../output/format.js'
import { whole } from '../../parse.js'

interface Flags {
  readonly data: readonly string[]
  readonly out: string
  readonly vocabSize: number
}

export const tokenizerTrain = command<Flags>({
  name: 'tokenizer train',
  summary: 'learn a byte-level BPE tokenizer from text',
  options: [
    { flags: '-d, --data <files...>', text: 'text or JSONL files, folders, globs; may be repeated', many: true, required: true },
    { flags: '-o, --out <file>', text: 'where to write', default: 'tokenizer.json' },
    { flags: '--vocab-size <n>', text: 'tokens to learn', parse: whole(257), default: 4096 },
  ],
  async run({ options: { data, out: file, vocabSize }, out }) {
    const begun = performance.now()
    using interrupt = new Interrupt()
    const { trainTokenizer } = await import('../../tokenizers.js')
    const made = await trainTokenizer(data, file, vocabSize, out, interrupt.signal)
    const seconds = (performance.now() - begun) / 1000
    out.result({ file, vocabSize: made, seconds }, () => `Learned ${count(made)} tokens in ${duration(seconds)}: ${file}`)
    return 0
  },
})
