import { command } from '../../command.js'
import { modelFolder } from '../../find-model.js'
import { bytes, count } from '../../output/format.js'

export const modelsShow = command({
  name: 'models show',
  summary: 'one model: its shape, its memory, its files checked against their hashes',
  arguments: [{ name: '<model>', text: 'name or folder of a model' }],
  async run({ args, out }) {
    const { memoryEstimate, openModelFolder } = await import('enigma')
    const folder = await modelFolder(args[0]!)
    await using opened = await openModelFolder(folder)
    const { config, info } = opened
    const memory = memoryEstimate(config)
    const value = {
      folder,
      preset: info?.preset ?? null,
      createdBy: info?.createdBy ?? null,
      parameters: memory.parameters,
      config,
      memory: { inference: memory.inference.total, training: memory.training.total },
      files: info?.files ?? null,
    }
    out.result(value, () =>
      [
        out.color.bold(folder),
        `  preset      ${value.preset ?? '-'}`,
        `  parameters  ${count(value.parameters)}`,
        `  shape       ${config.layers} layers of ${config.dim}, ${config.heads} heads (${config.kvHeads} of keys and values), feed-forward ${config.hidden}`,
        `  vocabulary  ${count(config.vocabSize)}`,
        `  context     ${count(config.context)} tokens`,
        `  memory      ${bytes(value.memory.inference)} at work, ${bytes(value.memory.training)} in training`,
        `  files       ${info ? 'as their hashes say' : 'no hashes to check (not written by Enigma)'}`,
      ].join('\n'),
    )
    return 0
  },
})
