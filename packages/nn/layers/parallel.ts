import { concat, type Tensor } from '@enigma/tensor'
import { NnError } from '../errors.js'
import { Layer, type UnaryLayer } from '../layer.js'
import { optionsOf } from '../options.js'

export interface ParallelOptions {
  /** What is made of the branches' results: one after the other, their sum, or their product. Default `concat`. */
  readonly join?: 'concat' | 'add' | 'mul'
  /** Dimension of `concat`. Default 1, the first after the batch. */
  readonly axis?: number
}

/** Several layers over the same tensor, their results joined. */
export class Parallel extends Layer {
  readonly #join: NonNullable<ParallelOptions['join']>
  readonly #axis: number

  constructor(
    readonly branches: readonly UnaryLayer[],
    options: ParallelOptions = {},
  ) {
    super()
    const { join = 'concat', axis = 1 } = optionsOf('Parallel', options, "join: 'add'")
    if (branches.length === 0) throw new NnError('INVALID_ARGUMENT', 'Parallel needs at least one branch.')
    this.#join = join
    this.#axis = axis
  }

  /** @throws NnError SHAPE_MISMATCH when results that are added or multiplied differ in shape; TensorError for `concat` */
  override forward(x: Tensor): Tensor {
    const results = this.branches.map((branch) => branch.forward(x))
    if (this.#join === 'concat') return concat(results, this.#axis)
    if (new Set(results.map(({ shape }) => shape.join())).size > 1)
      throw new NnError(
        'SHAPE_MISMATCH',
        `Parallel: the branches give ${results.map(({ shape }) => `[${shape.join(', ')}]`).join(' and ')}; '${this.#join}' needs one shape.`,
      )
    return results.reduce((sum, result) => (this.#join === 'add' ? sum.add(result) : sum.mul(result)))
  }
}
