import { basename, join } from 'node:path'
import type { QuantizationName } from 'enigma'
import { command } from '../../command.js'
import { modelFolder } from '../../find-model.js'
import { bytes, count } from '../../output/format.js'
import { whole } from '../../parse.js'

interface Flags {
  readonly bits: '4' | '8'
  readonly groupSize?: number
  readonly out?: string
  readonly force?: boolean
}

export const modelsQuantize = command<Flags>({
  name: 'models quantize',
  summary: 'write a model with weights of 8 or 4 bits: smaller and faster, for answering only',
  arguments: [{ name: '<model>', text: 'name or folder of a model' }],
  options: [
    { flags: '--bits <bits>', text: 'bits of a weight; embedding and head keep 8', choices: ['4', '8'], required: true },
    { flags: '--group-size <n>', text: 'weights that share a scale: 16, 32, 64, 128 or 256 (default: 32)', parse: whole(16) },
    { flags: '-o, --out <folder>', text: 'where to write (default: among the models, named after model and bits)' },
    { flags: '-f, --force', text: 'replace a model that lies there' },
  ],
  notes: ['What the rounding costs: enigma eval, of the model and of what this writes, on the same text.'],
  async run({ args, options: { bits, groupSize, out: given, force }, out }) {
    const { quantizeModel, modelRoots } = await import('enigma')
    const source = await modelFolder(args[0]!)
    const quantization: QuantizationName = `int${bits}`
    const folder = given ?? join(modelRoots()[0]!, `${basename(source)}-${quantization}`)
    const written = await quantizeModel(source, folder, {
      quantization,
      ...(groupSize !== undefined && { groupSize }),
      ...(force && { force }),
    })
    out.result(written, () => {
      const { before, after } = written.bytes
      return `Wrote ${written.folder}: ${count(written.parameters)} parameters in ${bytes(after)} (${bytes(before)} in float32)\nTry it: enigma run --model ${written.folder} "Once upon a time"`
    })
    return 0
  },
})
