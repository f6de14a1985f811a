import { join } from 'node:path'
import type { ScheduleName, TrainingOptions } from 'enigma'
import { command } from '../command.js'
import { CliError } from '../errors.js'
import { folders } from '../folders.js'
import { Interrupt } from '../interrupt.js'
import { number, whole } from '../parse.js'
import { openManager } from '../session.js'
import { showTraining } from '../training-view.js'

interface TrainFlags {
  readonly data?: readonly string[]
  readonly size?: string
  readonly out?: string
  readonly steps?: number
  readonly epochs?: number
  readonly resume?: boolean
  readonly force?: boolean
  readonly vocabSize?: number
  readonly batch?: number
  readonly lr?: number
  readonly seed?: number
  readonly valid?: string
  readonly clip?: number
  /** True without settings. */
  readonly lora?: string | true
  readonly findLr?: boolean
  readonly config?: string
  readonly json?: boolean
}

/** Ways the learning rate can go; the type makes the table complete. */
const schedules: Readonly<Record<ScheduleName, true>> = {
  cosine: true,
  linear: true,
  wsd: true,
  constant: true,
  cosineWarmRestarts: true,
  step: true,
  multiStep: true,
  exponential: true,
  polynomial: true,
  oneCycle: true,
}

export const train = command<TrainFlags>({
  name: 'train',
  summary: 'train a language model on your text',
  optionsFile: true,
  options: [
    { flags: '-d, --data <files...>', text: 'text or JSONL files, folders, globs; may be repeated', many: true },
    { flags: '--size <preset>', text: "how big: see 'enigma models presets' (default: tiny)" },
    { flags: '-o, --out <folder>', text: 'folder of the model (default: models/<size> in the home folder)' },
    { flags: '--steps <n>', text: 'updates to make', parse: whole(1) },
    { flags: '--epochs <n>', text: 'times through the text, instead of --steps (default: 1)', parse: number(0) },
    { flags: '--resume', text: 'go on from the last checkpoint in --out' },
    { flags: '--fallback', text: 'with --resume: from the newest sound checkpoint, where the last is damaged' },
    { flags: '--force', text: 'replace what --out holds' },
    { flags: '--vocab-size <n>', text: 'tokens to learn (default: 2048 under 4 MB of text, else 4096)', parse: whole(257) },
    { flags: '--from <folder>', text: 'start from this model: its shape, weights and tokenizer' },
    { flags: '--tokenizer <file>', text: "use this tokenizer.json instead of learning one; 'char': every character a token" },
    { flags: '--sft', text: 'of conversations, learn only what the assistant says (default where the data hold some)' },
    { flags: '--no-sft', text: 'learn every word of conversations' },
    { flags: '--lora [settings]', text: 'train only an adapter on --from: r=8,alpha=16,dropout=0,targets=q_proj,v_proj or all' },
    { flags: '--batch <n>', text: 'sequences a step (default: 8)', parse: whole(1) },
    { flags: '--sequence <n>', text: "tokens a sequence (default: the preset's context, at most 256)", parse: whole(2) },
    { flags: '--lr <n>', text: 'peak learning rate (default: 0.001)', parse: number(0, 1) },
    { flags: '--find-lr', text: 'instead of training, try learning rates and suggest one' },
    {
      flags: '--optimizer <name>',
      text: 'muon: Muon for hidden matrices, AdamW for the rest (default: adamw)',
      choices: ['adamw', 'muon'],
    },
    { flags: '--schedule <name>', text: 'how the learning rate goes (default: cosine)', choices: Object.keys(schedules) },
    { flags: '--warmup <n>', text: 'steps until the peak (default: a tenth, at most 100)', parse: whole() },
    { flags: '--weight-decay <n>', text: 'default: 0.1', parse: number(0, 10) },
    { flags: '--clip <n>', text: 'largest gradient norm (default: 1)', parse: number(0) },
    { flags: '--accumulate <n>', text: 'batches an update (default: 1)', parse: whole(1) },
    { flags: '--dropout <n>', text: 'share of activations dropped (default: 0)', parse: number(0, 0.99) },
    { flags: '--recompute', text: 'far less memory for one more forward pass a step; the same weights' },
    { flags: '--seed <n>', text: 'same seed and threads, same weights (default: 1)', parse: whole() },
    { flags: '--valid <file>', text: 'validation text, or the share to hold out (default: 0.02 from 200 KB of text on)' },
    { flags: '--report-every <n>', text: 'steps between reports (default: 10)', parse: whole(1) },
    { flags: '--validate-every <n>', text: 'steps between validations (default: 10 over the run)', parse: whole(1) },
    { flags: '--patience <n>', text: 'end after so many validations without progress, with the best weights', parse: whole(1) },
    { flags: '--sample-every <n>', text: 'steps between samples, 0 for none (default: as validations)', parse: whole() },
    { flags: '--checkpoint-every <n>', text: 'steps between checkpoints (default: 250)', parse: whole(1) },
    { flags: '--dtype <name>', text: 'precision of the finished weights (default: f32)', choices: ['f32', 'f16'] },
    { flags: '--threads <n>', text: 'threads to compute with (default: all cores)', parse: whole(1), setting: true },
    { flags: '--device <name>', text: 'where to compute (default: cpu)', choices: ['cpu', 'webgpu', 'cuda'], setting: true },
    { flags: '-c, --config <file>', text: 'YAML or JSON file of these options; flags win' },
  ],
  notes: [
    'Ctrl-C stops with a checkpoint (exit code 130); --resume goes on from it, to the same weights as an uninterrupted run.',
    '--json prints one object a line: {step, loss, bitsPerByte, learningRate, tokensPerSecond}; all else goes to stderr.',
    '',
    '  enigma train --data book.txt --size nano --steps 200 --out ./my-model',
    '  enigma train --out ./my-model --resume',
    '  enigma train --from ./my-model --data conversations.jsonl --lora r=8 --out ./my-assistant',
  ],
  async run({ options, out }) {
    if (options.data === undefined && !options.resume) {
      throw new CliError('USAGE', 'Say which text to train on: --data <files...> (or --resume to go on with a run).')
    }
    using interrupt = new Interrupt()
    await using manager = await openManager(out)
    await manager.load('training')
    const training = manager.getInterface('training')
    const asked = { ...trainingOptions(options), signal: interrupt.signal }
    if (options.findLr) {
      const { findRate } = await import('../find-rate.js')
      await findRate(training, asked, out)
      return interrupt.exitCode
    }
    const job = training.train(asked)
    const result = await showTraining(job, out)
    if (result.finishReason === 'done') {
      out.note(`Trained ${result.steps} steps. Talk to it: enigma chat ${asked.out}`)
      return 0
    }
    if (result.steps === 0 && !options.resume)
      out.note('Stopped before the first step: nothing was kept. Begin again with --force.')
    else out.note(`Stopped at step ${result.steps}, with a checkpoint. Go on: enigma train --out ${asked.out} --resume`)
    return interrupt.exitCode ?? 1
  },
})

/** The training module's options: our short names by its full ones, and what it has no field for among the settings. */
function trainingOptions(flags: TrainFlags): TrainingOptions {
  const {
    data = [],
    size,
    out,
    steps,
    epochs,
    resume,
    vocabSize,
    batch,
    lr,
    seed,
    valid,
    clip,
    lora,
    findLr: _findLr,
    json: _json,
    config: _config,
    ...others
  } = flags
  const named = { size, steps, epochs, resume, vocabSize, batch, learningRate: lr, seed, valid }
  const given = Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined))
  const settings = {
    ...others,
    ...(clip !== undefined && { clipNorm: clip }),
    ...(lora !== undefined && { lora: lora === true ? '' : lora }),
  }
  return { ...given, data, out: out ?? join(folders().data, 'models', size ?? 'tiny'), settings }
}
