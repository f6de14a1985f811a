import { basename } from 'node:path'
import { command } from '../../command.js'
import { modelFolder } from '../../find-model.js'
import { Interrupt } from '../../interrupt.js'
import { bytes } from '../../output/format.js'

interface Flags {
  readonly format: 'gguf' | 'safetensors' | 'onnx'
  readonly type?: string
  readonly out?: string
}

export const modelsExport = command<Flags>({
  name: 'models export',
  summary: 'write a model into one file for other programs',
  arguments: [{ name: '<model>', text: 'name or folder of a model' }],
  options: [
    { flags: '--format <format>', text: 'what for', choices: ['gguf', 'safetensors', 'onnx'], required: true },
    {
      flags: '--type <type>',
      text: 'how weights are stored (default: as they are)',
      choices: ['f32', 'f16', 'bf16', 'q8_0', 'q4_0'],
    },
    { flags: '-o, --out <file>', text: 'where to write (default: the name of the model, with the ending of the format)' },
  ],
  notes: [
    'gguf is for llama.cpp, tokenizer and chat template included; it alone has q8_0 and q4_0. safetensors is the weights alone.',
    'onnx is one decoding step with its key/value cache, in f32, for ONNX Runtime.',
  ],
  async run({ args, options: { format, type, out: given }, out }) {
    const { exportModel } = await import('enigma')
    using interrupt = new Interrupt()
    const folder = await modelFolder(args[0]!)
    const file = given ?? `${basename(folder)}.${format}`
    const written = await exportModel(folder, file, {
      format,
      ...(type !== undefined && { type }),
      signal: interrupt.signal,
      onProgress: (done, total) => out.progress(`${Math.round((100 * done) / total)} %`),
    })
    out.clearProgress()
    out.result(written, () => `Wrote ${written.file}: ${format}, ${written.type}, ${bytes(written.bytes)}`)
    return interrupt.exitCode
  },
})
