import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type FloatTensor, openTensors, writeSafetensors } from '@enigma/tensor/formats'

/** The lowest validation loss of a run, and how many validations came after it. */
export interface Best {
  readonly step: number
  readonly loss: number
  readonly waited: number
}

/** What a validation makes of it. */
export function nextBest(best: Best | null, step: number, loss: number): Best {
  return best === null || loss < best.loss ? { step, loss, waited: 0 } : { ...best, waited: best.waited + 1 }
}

const nameOf = (step: number) => `best-${step}.safetensors`
const stepOf = (name: string) => {
  const match = /^best-(\d+)\.safetensors$/.exec(name)
  return match ? Number(match[1]) : undefined
}

/** The weights of a run's best validations: `best-<step>.safetensors` in its folder, while a checkpoint may still go back to them. */
export class BestWeights {
  readonly #folder: string
  #former: number | undefined

  /** @param former the step that the checkpoint names from which the run goes on */
  constructor(folder: string, former: number | undefined) {
    this.#folder = folder
    this.#former = former
  }

  async keep(step: number, tensors: Readonly<Record<string, FloatTensor>>): Promise<void> {
    await writeSafetensors(join(this.#folder, nameOf(step)), tensors)
  }

  /** Call it when a checkpoint is written: keeps what this one and the one before name. */
  async prune(step: number | undefined): Promise<void> {
    const kept = new Set([step, this.#former])
    this.#former = step
    for (const name of await readdir(this.#folder)) {
      const of = stepOf(name)
      if (of !== undefined && !kept.has(of)) await rm(join(this.#folder, name), { force: true })
    }
  }

  /** Reads them into tensors of the same names. @throws TensorError FILE_NOT_FOUND, TENSOR_MISSING, SHAPE_MISMATCH */
  async restore(step: number, tensors: Readonly<Record<string, FloatTensor>>): Promise<void> {
    await using reader = await openTensors(join(this.#folder, nameOf(step)))
    for (const [name, { data }] of Object.entries(tensors)) await reader.read(name, data)
  }
}
