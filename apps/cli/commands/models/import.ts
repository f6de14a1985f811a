import { existsSync } from 'node:fs'
import { basename, extname, join, resolve } from 'node:path'
import { command } from '../../command.js'
import { CliError } from '../../errors.js'
import { pulledSource } from '../../find-model.js'
import { Interrupt } from '../../interrupt.js'
import { count } from '../../output/format.js'

interface Flags {
  readonly name?: string
  readonly type?: 'f32' | 'f16' | 'bf16'
  readonly force?: boolean
}

export const modelsImport = command<Flags>({
  name: 'models import',
  summary: 'take a Hugging Face folder or a GGUF file among the models',
  arguments: [
    {
      name: '<source>',
      text: 'a folder with config.json, tokenizer.json and safetensors, a .gguf file, or owner/name of what was pulled',
    },
  ],
  options: [
    { flags: '--name <name>', text: 'what it is called here (default: the name of the folder or file)' },
    {
      flags: '--type <type>',
      text: 'how the weights of a GGUF file are stored (default: as they are; quantized ones: f16)',
      choices: ['f32', 'f16', 'bf16'],
    },
    { flags: '-f, --force', text: 'replace a model of that name' },
  ],
  notes: ['Llama, Mistral, Qwen2, Qwen3 and SmolLM are read; what would be computed differently is refused, naming the key.'],
  async run({ args, options: { name: given, type, force }, out }) {
    const { importModel, modelRoots } = await import('enigma')
    using interrupt = new Interrupt()
    const source = (await pulledSource(args[0]!)) ?? args[0]!
    const name = given ?? defaultName(args[0]!)
    if (!/^[^\\/]+$/.test(name) || name.startsWith('.'))
      throw new CliError('USAGE', `'${name}' cannot be a model's name: give one without slashes that does not begin with a dot.`)
    const imported = await importModel(source, join(modelRoots()[0]!, name), {
      ...(type !== undefined && { dtype: type }),
      ...(force && { force }),
      signal: interrupt.signal,
      onProgress: (done, total) => out.progress(`${Math.round((100 * done) / total)} %`),
    })
    out.clearProgress()
    const { folder, format, parameters } = imported
    out.result({ name, folder, format, parameters }, () => {
      return `Imported ${name}: ${count(parameters)} parameters, in ${folder}\nTry it: enigma run --model ${name} "Once upon a time"`
    })
    return interrupt.exitCode
  },
})

/** Of `owner/name@revision` the name. */
function defaultName(given: string): string {
  const name = existsSync(given) ? basename(resolve(given)) : basename(given.split('@')[0]!)
  return basename(name, extname(name) === '.gguf' ? '.gguf' : '')
}
