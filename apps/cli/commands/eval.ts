import type { Reference } from 'enigma'
import { command } from '../command.js'
import { modelFolder } from '../find-model.js'
import { Interrupt } from '../interrupt.js'
import { count } from '../output/format.js'
import { whole } from '../parse.js'
import { type Device, type Quantization, quantizationOption } from '../session.js'

interface Flags {
  readonly data: readonly string[]
  readonly answers?: boolean
  readonly compare?: boolean
  readonly ngramTrain?: readonly string[]
  readonly batch?: number
  readonly quantization?: Quantization
  readonly groupSize?: number
  readonly threads?: number
  readonly device?: Device
}

export const evaluate = command<Flags>({
  name: 'eval',
  summary: 'how well a model predicts a text, in bits per byte',
  arguments: [{ name: '<model>', text: 'name or folder of a model' }],
  options: [
    { flags: '-d, --data <file>', text: 'text to predict; may be repeated', many: true, required: true },
    { flags: '--answers', text: 'of conversations, measure only what the assistant says' },
    { flags: '--compare', text: 'also print what xz -9e makes of the same bytes' },
    { flags: '--ngram-train <file>', text: 'and a 5-gram model (Kneser-Ney) of this text; may be repeated', many: true },
    { flags: '--batch <n>', text: 'sequences at once', parse: whole(1) },
    quantizationOption,
    { flags: '--group-size <n>', text: 'weights that share a scale when they are rounded (default: 32)', parse: whole(16) },
    { flags: '--threads <n>', text: 'threads to compute with (default: all cores)', parse: whole(1), setting: true },
    { flags: '--device <name>', text: 'where to compute (default: cpu)', choices: ['cpu', 'webgpu', 'cuda'], setting: true },
  ],
  notes: ['Lower is better. --json prints {bitsPerByte, loss, bytes, tokens, references}; loss is in nats per token.'],
  async run({ args, options: { data, answers, compare, ngramTrain, batch, threads, device, quantization, groupSize }, out }) {
    const { evaluate } = await import('enigma')
    using interrupt = new Interrupt()
    const folder = await modelFolder(args[0]!)
    const measured = await evaluate(folder, {
      data,
      ...(answers && { answersOnly: true }),
      ...((compare || ngramTrain) && { compare: { ...(ngramTrain && { ngramTrain }) } }),
      ...(batch === undefined ? {} : { batch }),
      ...(quantization === undefined ? {} : { quantization }),
      ...(groupSize === undefined ? {} : { groupSize }),
      ...(threads === undefined ? {} : { threads }),
      ...(device === undefined ? {} : { device }),
      signal: interrupt.signal,
      onProgress: (done, total) => out.progress(`${Math.round((100 * done) / total)} %`),
    })
    out.clearProgress()
    const { bitsPerByte, loss, bytes, tokens, references } = measured
    out.result({ bitsPerByte, loss, bytes, tokens, ...(references && { references }) }, () => {
      const nats = `${loss.toFixed(4)} nats per token; ${count(bytes)} bytes, ${count(tokens)} tokens`
      return [`${bitsPerByte.toFixed(4)} bits per byte (${nats})`, ...(references ?? []).map(line)].join('\n')
    })
    return interrupt.exitCode
  },
})

function line({ name, bitsPerByte, note }: Reference): string {
  const said = note === undefined ? '' : ` (${note})`
  return `${bitsPerByte === null ? 'not measured' : bitsPerByte.toFixed(4)}: ${name}${said}`
}
