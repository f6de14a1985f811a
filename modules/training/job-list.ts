import type { TrainingJobStatus, TrainingOptions } from '@enigma/contracts'
import { findLearningRate, type LearningRateCurve } from '@enigma/lm'
import type { TrainingCallback } from '@enigma/nn'
import { busCallbacks } from './bus-callbacks.js'
import { TrainingError } from './errors.js'
import { Job, type JobEvents } from './job.js'
import { trainOptions } from './train-options.js'
import type { RateListeners, TrainingJobView, TrainingModuleConfig, TrainingService } from './types.js'

/** All jobs of one life of the module. */
export class JobList implements TrainingService {
  readonly #config: TrainingModuleConfig
  readonly #events: JobEvents
  readonly #worker: URL | undefined
  readonly #jobs = new Map<string, Job>()
  #closed = false

  /** @param worker the program that trains, for `TrainingProcess` */
  constructor(config: TrainingModuleConfig, events: JobEvents, worker?: URL) {
    this.#config = config
    this.#events = events
    this.#worker = worker
  }

  /** @throws TrainingError `UNKNOWN_SETTING`, `MODULE_UNLOADED`; LmError `UNKNOWN_PRESET`, `INVALID_OPTION`; the rest rejects `done` */
  train(options: TrainingOptions): TrainingJobView {
    if (this.#closed) throw new TrainingError('MODULE_UNLOADED', "The module 'training' is being unloaded. Load it again first.")
    const train = trainOptions(options, this.#config)
    const id = `training-${this.#jobs.size + 1}`
    const { signal } = options
    const job = new Job(id, train, { nice: this.#config.nice, events: this.#events, signal, worker: this.#worker })
    this.#jobs.set(id, job)
    return job
  }

  jobs(): readonly TrainingJobStatus[] {
    return [...this.#jobs.values()].map((job) => job.status)
  }

  job(id: string): TrainingJobView {
    const job = this.#jobs.get(id)
    if (job) return job
    const known = this.#jobs.size === 0 ? 'There is none yet' : `There is: ${[...this.#jobs.keys()].join(', ')}`
    throw new TrainingError('UNKNOWN_JOB', `No training job '${id}'. ${known}.`)
  }

  async findLearningRate(options: TrainingOptions, { onRate, onEvent }: RateListeners = {}): Promise<LearningRateCurve> {
    const { out: _out, resume: _resume, force: _force, ...train } = trainOptions(options, this.#config)
    const { steps: _steps, epochs: _epochs, learningRate: _rate, ...asked } = train
    const { signal } = options
    return findLearningRate({ ...asked, ...(signal && { signal }), ...(onRate && { onRate }) }, onEvent)
  }

  callbacks(): TrainingCallback {
    return busCallbacks(this.#events)
  }

  /** Stops all jobs, each with a checkpoint; one that has not ended after `patience` ms is killed: its last checkpoint stays. */
  async close(patience: number): Promise<void> {
    this.#closed = true
    const kill = () => {
      for (const job of this.#jobs.values()) job.kill()
    }
    const timer = setTimeout(kill, patience)
    await Promise.all([...this.#jobs.values()].map((job) => job.stop()))
    clearTimeout(timer)
  }
}
