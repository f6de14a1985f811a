import type { HostTensor } from '@enigma/tensor'
import { NnError } from '../errors.js'
import type { Layer, StateDict } from '../layer.js'
import { optionsOf } from '../options.js'
import type { Parameter } from '../parameter.js'
import { checkSettings } from './settings.js'

export interface EmaOptions {
  /** Share of the average that is kept at each update. Default 0.999. */
  readonly decay?: number
}

/** Elements between two looks at the event loop: well under a millisecond of work. */
const sliceElements = 2 ** 18

interface Averaged {
  readonly name: string
  readonly parameter: Parameter
  readonly average: Float32Array
}

/**
 * An exponential moving average of a network's parameters, which often predicts better than the last ones:
 * `torch.optim.swa_utils.AveragedModel` with `get_ema_multi_avg_fn`. Call `update` after each step. Buffers (running means) are
 * not averaged, as there by default.
 */
export class Ema {
  readonly #net: Layer
  readonly #decay: number
  readonly #averaged: readonly Averaged[]
  #begun = false
  #applied = false
  #inFlight: Promise<void> = Promise.resolve()

  constructor(net: Layer, options: EmaOptions = {}) {
    const { decay = 0.999 } = optionsOf('ema', options, 'decay: 0.99')
    checkSettings('ema', { share: { decay } })
    this.#net = net
    this.#decay = decay
    this.#averaged = [...net.namedParameters()].map(([name, parameter]) => ({ name, parameter, average: parameter.data.slice() }))
  }

  /**
   * average = decay·average + (1 − decay)·parameter; the first update copies. Await it before the next step, which changes
   * the parameters. @throws NnError INVALID_ARGUMENT between `apply` and `restore`
   */
  update(): Promise<void> {
    return this.#serially(() => {
      if (this.#applied) throw new NnError('INVALID_ARGUMENT', 'The averages are in the network now: restore() before update().')
      const share = this.#begun ? 1 - this.#decay : 1
      this.#begun = true
      return inSlices(this.#averaged, ({ parameter: { data }, average }, from, to) => {
        if (share === 1) average.set(data.subarray(from, to), from)
        else for (let i = from; i < to; i++) average[i]! += share * (data[i]! - average[i]!)
      })
    })
  }

  /** Puts the averages into the network, to evaluate or save it; `restore` brings the trained parameters back. */
  apply(): Promise<void> {
    return this.#swap(true)
  }

  /** @throws NnError INVALID_ARGUMENT when `apply` was not called */
  restore(): Promise<void> {
    return this.#swap(false)
  }

  /** The averages, and the network's buffers as they are: a state that fits the network. Parameters are live arrays. */
  stateDict(): StateDict {
    const averages = this.#averaged.map(({ name, parameter, average }): [string, HostTensor] => [
      name,
      { dtype: 'f32', shape: parameter.shape, data: this.#applied ? parameter.data : average },
    ])
    return { ...this.#net.stateDict(), ...Object.fromEntries(averages) }
  }

  /** Continues from saved averages. @throws NnError STATE_MISMATCH */
  loadStateDict(state: StateDict): void {
    const missing = this.#averaged.find(({ name, average }) => state[name]?.data.length !== average.length)
    if (missing)
      throw new NnError('STATE_MISMATCH', `The averages have no tensor '${missing.name}' of ${missing.average.length} elements.`)
    for (const { name, parameter, average } of this.#averaged)
      (this.#applied ? parameter.data : average).set(state[name]!.data as Float32Array)
    this.#begun = true
  }

  #swap(applied: boolean): Promise<void> {
    return this.#serially(() => {
      if (this.#applied === applied)
        throw new NnError('INVALID_ARGUMENT', `The averages are ${applied ? 'already' : 'not'} in the network.`)
      this.#applied = applied
      return inSlices(this.#averaged, ({ parameter: { data }, average }, from, to) => {
        const kept = data.slice(from, to)
        data.set(average.subarray(from, to), from)
        average.set(kept, from)
      })
    })
  }

  #serially(work: () => Promise<void>): Promise<void> {
    const running = this.#inFlight.then(work)
    this.#inFlight = running.catch(() => undefined)
    return running
  }
}

/** An average over the parameters of `net`. @throws NnError INVALID_ARGUMENT */
export const ema = (net: Layer, options: EmaOptions = {}): Ema => new Ema(net, options)

/** Calls `work` on parts of the tensors, and lets the event loop go on in between. */
async function inSlices(tensors: readonly Averaged[], work: (tensor: Averaged, from: number, to: number) => void): Promise<void> {
  let done = 0
  for (const tensor of tensors)
    for (let from = 0; from < tensor.average.length; from += sliceElements) {
      const to = Math.min(from + sliceElements, tensor.average.length)
      work(tensor, from, to)
      if ((done += to - from) < sliceElements) continue
      done = 0
      await new Promise((resolve) => setImmediate(resolve))
    }
}
