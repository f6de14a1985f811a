import { type DType, dtypes, type HostTensor, sizeOf } from './dtype.js'
import { TensorError } from './errors.js'
import { broadcast } from './ops/define.js'
import { Tensor } from './tensor.js'

/** How far one step along each dimension of `shape` leads in the data of a tensor of shape `own`; 0 where it broadcasts. */
function stridesOf(own: readonly number[], shape: readonly number[]): number[] {
  const lead = shape.length - own.length
  return shape.map((_, axis) => (axis < lead || own[axis - lead] === 1 ? 0 : sizeOf(own.slice(axis - lead + 1))))
}

/**
 * The elements of `x` where `mask` (bool) is true, in order, as `torch.masked_select`: a vector. Both broadcast. For numbers in host
 * memory: how long the result is depends on them, and sizes in a program do not. In a program, `where` and `maskedFill` keep the
 * shape, and a sum over `mask.where(x, 0)` reads only what is chosen.
 * @throws TensorError INVALID_ARGUMENT for a tensor of a program; DTYPE_MISMATCH, SHAPE_MISMATCH
 */
export function maskedSelect(x: HostTensor, mask: HostTensor): HostTensor {
  const given: readonly unknown[] = [x, mask]
  if (given.some((one) => one instanceof Tensor))
    throw new TensorError(
      'INVALID_ARGUMENT',
      'maskedSelect: how many elements a mask chooses is known only when the program runs, but its sizes are not. Use mask.where(x, 0) or x.maskedFill(mask, 0) in the program, or maskedSelect on its outputs.',
    )
  if (mask.dtype !== 'bool') throw new TensorError('DTYPE_MISMATCH', `maskedSelect: the mask must be bool, given ${mask.dtype}.`)
  const shape = broadcast('maskedSelect', x.shape, mask.shape) as number[]
  const [from, by] = [stridesOf(x.shape, shape), stridesOf(mask.shape, shape)]
  const chosen: number[] = []
  for (let index = 0; index < sizeOf(shape); index++) {
    let [rest, source, condition] = [index, 0, 0]
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const at = rest % shape[axis]!
      rest = (rest - at) / shape[axis]!
      source += at * from[axis]!
      condition += at * by[axis]!
    }
    if (mask.data[condition]) chosen.push(source)
  }
  return { dtype: x.dtype, shape: [chosen.length], data: gathered(x, chosen) }
}

function gathered<D extends DType>({ dtype, data }: HostTensor & { readonly dtype: D }, indices: readonly number[]) {
  const result = new dtypes[dtype].array(indices.length)
  indices.forEach((index, i) => {
    result[i] = data[index]!
  })
  return result
}
