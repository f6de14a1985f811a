import { type CompileOptions, compile, type Executable, type HostTensor, type InputSpec, type Tensor } from '@enigma/tensor'
import { type Batch, type CompileStepOptions, metricsOf, specsOf, traceBatch } from '../compile-step.js'
import type { Layer } from '../layer.js'
import { ProgramCache } from '../program-cache.js'
import { type TracedNetwork, traceNetwork } from '../trace-network.js'

export interface Evaluation {
  /** Means over all examples. */
  readonly loss: number
  readonly metrics: Readonly<Record<string, number>>
}

interface Compiled {
  readonly traced: TracedNetwork
  readonly executable: Executable
}

type Measured = Pick<CompileStepOptions, 'loss' | 'metrics' | 'forward' | 'target'>

/** Loss and metrics of a network over batches, in evaluation: compiled once for each shape of batches. */
export class Evaluator {
  readonly #net: Layer
  readonly #measured: Measured
  readonly #options: CompileOptions
  readonly #programs = new ProgramCache<Compiled>(({ executable }) => executable.release())

  constructor(net: Layer, measured: Measured, options: CompileOptions = {}) {
    this.#net = net
    this.#measured = measured
    this.#options = { device: net.device, ...options }
  }

  async evaluate(batches: AsyncIterable<Batch> | Iterable<Batch>, signal?: AbortSignal): Promise<Evaluation> {
    let examples = 0
    const sums: Record<string, number> = {}
    const add = (name: string, value: number) => {
      sums[name] = (sums[name] ?? 0) + value
    }
    for await (const batch of batches) {
      signal?.throwIfAborted()
      const specs = specsOf(batch)
      const { traced, executable } = await this.#programs.get(JSON.stringify(specs), () => this.#compile(specs))
      const outputs = await executable.run({ ...batch, ...traced.parameters, ...traced.buffers })
      const count = sizeOfBatch(batch)
      examples += count
      add('loss', Number(outputs.loss!.data[0]) * count)
      for (const [name, value] of Object.entries(metricsOf(outputs))) add(`metric.${name}`, value * count)
    }
    const mean = (name: string) => (sums[name] ?? Number.NaN) / examples
    const names = Object.keys(this.#measured.metrics ?? {})
    return { loss: mean('loss'), metrics: Object.fromEntries(names.map((name) => [name, mean(`metric.${name}`)])) }
  }

  release(): Promise<void> {
    return this.#programs.release()
  }

  async #compile(specs: Readonly<Record<string, InputSpec>>): Promise<Compiled> {
    const traced = traceNetwork<string>(specs, (tensors: Readonly<Record<string, Tensor>>) =>
      traceBatch(this.#net, tensors, this.#measured),
    )
    return { traced, executable: await compile(traced.program, this.#options) }
  }
}

/** Examples of a batch: the first dimension of its first tensor. */
export function sizeOfBatch(batch: Batch): number {
  const [first] = Object.values(batch) as readonly (HostTensor | undefined)[]
  return first?.shape[0] ?? 1
}
