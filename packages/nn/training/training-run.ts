import { type Batch, type CompiledStep, compileStep } from '../compile-step.js'
import { NnError } from '../errors.js'
import type { Layer, StateDict } from '../layer.js'
import type { Schedule } from '../optim/index.js'
import { leadingOptimizer } from '../parameter-groups.js'
import { type EpochRecord, type History, tell } from './callbacks.js'
import { bestOf, type Checkpoints, restoreRun, type SavedRun } from './checkpoints.js'
import { earlyStopping, monitored } from './early-stopping.js'
import { EpochMeans } from './epoch-means.js'
import { Evaluator, sizeOfBatch } from './evaluate.js'
import type { FitOptions } from './fit.js'

/** One call of `fit`: where it stands, and what it does next. */
export class TrainingRun {
  readonly #net: Layer
  readonly #options: FitOptions & { readonly threads: number }
  readonly #checkpoints: Checkpoints | undefined
  readonly #step: CompiledStep
  readonly #evaluator: Evaluator
  readonly #epochs: number
  readonly #stepsPerEpoch: number
  readonly #baseRate: number
  readonly #schedule: Schedule | undefined
  readonly #records: EpochRecord[] = []
  /** The next update: its epoch, and its number within. */
  #epoch = 0
  #index = 0
  /** Updates made. */
  #done = 0
  #means = new EpochMeans()
  #ended: History['ended'] = 'finished'
  /** A copy of the weights of the best epoch so far. */
  #best: StateDict | undefined
  readonly #clock = { from: 0, steps: 0 }

  constructor(net: Layer, options: FitOptions & { readonly threads: number }, checkpoints: Checkpoints | undefined) {
    const { train, epochs = 1, accumulate = 1 } = options
    this.#net = net
    this.#options = options
    this.#checkpoints = checkpoints
    this.#step = compileStep(net, options)
    this.#evaluator = new Evaluator(net, options, options)
    this.#epochs = epochs
    this.#stepsPerEpoch = Math.floor(train.length / accumulate)
    this.#baseRate = leadingOptimizer(options).lr
    this.#schedule = options.schedule?.({ learningRate: this.#baseRate, steps: epochs * this.#stepsPerEpoch })
    if (this.#schedule !== undefined && typeof this.#schedule !== 'function')
      throw new NnError(
        'INVALID_ARGUMENT',
        'schedule must make a schedule: optim.schedules.cosine, or ({ learningRate, steps }) => optim.schedules.cosine({ … }).',
      )
  }

  async train(saved: SavedRun | undefined): Promise<History> {
    const { callbacks = [] } = this.#options
    if (saved) await this.#resume(saved)
    await tell(callbacks, 'onTrainStart', {
      parameters: this.#net.parameterCount(),
      epochs: this.#epochs,
      stepsPerEpoch: this.#stepsPerEpoch,
      step: this.#done,
      resumed: saved !== undefined,
    })
    this.#clock.from = performance.now()
    while (this.#epoch < this.#epochs && this.#ended === 'finished') await this.#trainEpoch()
    const history = this.#finish()
    await tell(callbacks, 'onTrainEnd', history)
    return history
  }

  async close(): Promise<void> {
    await this.#evaluator.release()
    await this.#step.close()
  }

  async #resume(saved: SavedRun): Promise<void> {
    const { state } = saved
    if (state.stepsPerEpoch !== this.#stepsPerEpoch)
      throw new NnError(
        'STATE_MISMATCH',
        `${saved.file} is of a run with ${state.stepsPerEpoch} updates an epoch, this one has ${this.#stepsPerEpoch}: the data or the batch size changed.`,
      )
    for await (const batch of this.#options.train.epoch(0)) {
      restoreRun(saved, this.#net, await this.#step.prepare(batch), this.#optimizers())
      break
    }
    const best = bestOf(saved)
    if (this.#options.earlyStopping && Object.keys(best).length > 0) this.#best = best
    if (this.#options.earlyStopping && state.ended === 'early') this.#ended = 'early'
    this.#epoch = state.epoch
    this.#index = state.index
    this.#done = state.counters.updates
    this.#means = new EpochMeans(state.sums)
    this.#records.push(...state.records)
  }

  async #trainEpoch(): Promise<void> {
    const { train, valid, accumulate = 1, callbacks = [] } = this.#options
    const epoch = this.#epoch
    const began = performance.now()
    if (this.#index === 0) await tell(callbacks, 'onEpochStart', { epoch, epochs: this.#epochs })
    let learningRate = this.#baseRate
    let group: Batch[] = []
    for await (const batch of train.epoch(epoch, this.#index * accumulate)) {
      group.push(batch)
      if (group.length < accumulate) continue
      learningRate = await this.#update(group)
      if (this.#index === this.#stepsPerEpoch) break
      if (this.#ended !== 'finished' || this.#checkpoints?.dueAtStep(this.#done)) await this.#save(batch)
      if (this.#ended !== 'finished') return
      group = []
    }
    const measured = valid && (await this.#evaluator.evaluate(valid.epoch(0)))
    const record: EpochRecord = {
      epoch,
      step: this.#done,
      ...this.#means.means(),
      ...(measured && { valid: measured }),
      learningRate,
      seconds: (performance.now() - began) / 1000,
    }
    this.#records.push(record)
    this.#judge(record)
    await tell(callbacks, 'onEpochEnd', { ...record, epochs: this.#epochs, stop: () => this.#end('stopped') })
    if (this.#options.signal?.aborted) this.#end('aborted')
    this.#epoch++
    this.#index = 0
    this.#means = new EpochMeans()
    const last = this.#ended !== 'finished' || this.#epoch === this.#epochs
    if (last || this.#checkpoints?.dueAfterEpoch(epoch)) await this.#save(group[0]!)
  }

  /** One update on a group of batches; returns its learning rate. */
  async #update(group: readonly Batch[]): Promise<number> {
    const learningRate = this.#schedule ? this.#schedule(this.#done) : this.#baseRate
    const result = await this.#step.accumulated(group, learningRate).catch((cause) => {
      if (!(cause instanceof NnError && cause.code === 'NOT_FINITE')) throw cause
      const advice = 'A lower learning rate or clipNorm may help.'
      throw new NnError('NOT_FINITE', `Epoch ${this.#epoch}, step ${this.#done + 1}: ${cause.message} ${advice}`, { cause })
    })
    const examples = group.reduce((sum, part) => sum + sizeOfBatch(part), 0)
    this.#means.add(examples, result.loss, result.metrics)
    this.#done++
    this.#index++
    this.#clock.steps++
    const secondsPerStep = (performance.now() - this.#clock.from) / 1000 / this.#clock.steps
    const steps = this.#epochs * this.#stepsPerEpoch
    await tell(this.#options.callbacks ?? [], 'onStep', {
      epoch: this.#epoch,
      epochs: this.#epochs,
      step: this.#done,
      steps,
      loss: result.loss,
      gradNorm: result.gradNorm,
      learningRate,
      metrics: result.metrics,
      examplesPerSecond: examples / secondsPerStep,
      etaSeconds: (steps - this.#done) * secondsPerStep,
      stop: () => this.#end('stopped'),
    })
    if (this.#options.signal?.aborted) this.#end('aborted')
    return learningRate
  }

  /** Keeps the best weights so far, and ends the run when there has been no better epoch for a while. */
  #judge(record: EpochRecord): void {
    const options = this.#options.earlyStopping
    if (!options) return
    if (monitored(record, options.monitor ?? 'valid.loss') === undefined)
      throw new NnError('INVALID_ARGUMENT', `Early stopping watches '${options.monitor}', which no epoch has.`)
    const { best, stop } = earlyStopping(this.#records, options)
    if (best === this.#records.length - 1)
      this.#best = Object.fromEntries(
        Object.entries(this.#net.stateDict()).map(([name, { dtype, shape, data }]) => [
          name,
          { dtype, shape, data: data.slice() },
        ]),
      )
    if (stop) this.#end('early')
  }

  #end(why: History['ended']): void {
    if (this.#ended === 'finished') this.#ended = why
  }

  /** Kinds of the optimizers, in the order of their groups. */
  #optimizers(): string[] {
    const { optimizer } = this.#options
    return 'update' in optimizer ? [optimizer.kind] : optimizer.map((group) => group.optimizer.kind)
  }

  async #save(batch: Batch): Promise<void> {
    if (!this.#checkpoints) return
    const state = {
      epoch: this.#epoch,
      index: this.#index,
      stepsPerEpoch: this.#stepsPerEpoch,
      sums: this.#means.state,
      records: this.#records,
      threads: this.#options.threads,
      ended: this.#ended,
      optimizers: this.#optimizers(),
    }
    await this.#checkpoints.save(this.#net, await this.#step.prepare(batch), state, this.#best)
  }

  #finish(): History {
    const options = this.#options.earlyStopping
    const restored = options && options.restoreBest !== false && this.#best
    if (restored) this.#net.loadStateDict(restored)
    const chosen = restored ? earlyStopping(this.#records, options).best : this.#records.length - 1
    return { epochs: this.#records, ended: this.#ended, epoch: this.#records[chosen]?.epoch ?? -1 }
  }
}
