import { command } from '../../command.js'
import { Interrupt } from '../../interrupt.js'
import { bytes } from '../../output/format.js'

interface Flags {
  readonly file?: readonly string[]
}

export const modelsPull = command<Flags>({
  name: 'models pull',
  summary: 'fetch a model from the Hugging Face hub',
  arguments: [{ name: '<model>', text: 'owner/name, or owner/name@revision: a branch, a tag or a commit' }],
  options: [
    { flags: '--file <path>', text: 'only this file, such as a .gguf; may be repeated (default: what is needed)', many: true },
  ],
  notes: [
    'It goes into the Hugging Face cache, which other programs share, and is used from there: enigma run --model owner/name.',
    'Files are checked with their hashes; stopped or broken off, the next pull goes on. Read from the environment: HF_TOKEN, HF_HOME,',
    'HF_HUB_CACHE, HF_HUB_OFFLINE, HF_ENDPOINT.',
  ],
  async run({ args, options: { file: files }, out }) {
    const { pullModel } = await import('enigma')
    using interrupt = new Interrupt()
    const pulled = await pullModel(args[0]!, {
      ...(files && { files }),
      signal: interrupt.signal,
      onProgress: (there, total) => out.progress(`${bytes(there)} of ${bytes(total)}`),
    })
    out.clearProgress()
    out.result(pulled, () => {
      const { name, revision, folder, downloaded } = pulled
      const what = downloaded === 0 ? 'was there already' : `${bytes(downloaded)} pulled`
      const next = files ? `enigma models import ${args[0]}` : `enigma run --model ${args[0]} "Once upon a time"`
      return `${name}@${revision.slice(0, 7)}: ${what}, in ${folder}\nTry it: ${next}`
    })
    return interrupt.exitCode
  },
})
