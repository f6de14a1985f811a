import { command } from '../../command.js'
import { bytes, count } from '../../output/format.js'
import { whole } from '../../parse.js'
import { openManager } from '../../session.js'

interface Flags {
  readonly vocabSize: number
  readonly batch: number
}

export const modelsPresets = command<Flags>({
  name: 'models presets',
  summary: 'the 15 sizes: true parameter counts, memory, and whether they fit here',
  options: [
    { flags: '--vocab-size <n>', text: 'tokens of the vocabulary', parse: whole(1), default: 8000 },
    { flags: '--batch <n>', text: 'sequences at once', parse: whole(1), default: 1 },
  ],
  notes: ['Memory is an estimate, everything in float32: at work with the whole context, in training at up to 512 tokens.'],
  async run({ options: { vocabSize, batch }, out }) {
    const { presetTable } = await import('enigma')
    await using manager = await openManager(out)
    const memoryBytes = manager.hardwareProfile.ramTotal
    const rows = presetTable({ memoryBytes, vocabSize, batch })
    const value = rows.map(({ name, parameters, dim, layers, heads, kvHeads, hidden, context, memory, fits }) => ({
      name,
      parameters,
      dim,
      layers,
      heads,
      kvHeads,
      hidden,
      context,
      vocabSize,
      memory: { inference: memory.inference.total, training: memory.training.total },
      fits,
    }))
    const yes = (fit: boolean) => (fit ? out.color.green('yes') : out.color.red('no'))
    await out.table(
      value,
      ['preset', 'parameters', 'width', 'layers', 'context', 'memory at work', 'in training', 'runs here', 'trains here'],
      value.map((row) => [
        row.name,
        count(row.parameters),
        row.dim,
        row.layers,
        row.context,
        bytes(row.memory.inference),
        bytes(row.memory.training),
        yes(row.fits.inference),
        yes(row.fits.training),
      ]),
    )
    if (!out.json)
      out.text(
        `\nThis machine has ${bytes(memoryBytes)}. Counts are for a vocabulary of ${count(vocabSize)}, a batch of ${batch}.`,
      )
    return 0
  },
})
