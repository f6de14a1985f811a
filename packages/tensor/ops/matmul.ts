import type { Attributes, Dim, Value } from '../program.js'
import type { Tensor } from '../tensor.js'
import { broadcast, defineOps, expectDtype, fixed, shapeError } from './define.js'
import { unbroadcast } from './elementwise.js'

interface Flags {
  readonly transA: boolean
  readonly transB: boolean
  readonly alpha: number
}

const flagsOf = ({ transA, transB, alpha }: Attributes): Flags => ({
  transA: transA === true,
  transB: transB === true,
  alpha: alpha as number,
})

function productShape(name: string, a: Value, b: Value, attributes: Attributes): Dim[] {
  expectDtype(name, a, 'f32')
  expectDtype(name, b, 'f32')
  const { transA, transB } = flagsOf(attributes)
  if (a.shape.length < 2 || b.shape.length < 2)
    throw shapeError(name, 'both operands need at least two dimensions', [a.shape, b.shape])
  const [m, k] = transA ? [a.shape.at(-1)!, a.shape.at(-2)!] : [a.shape.at(-2)!, a.shape.at(-1)!]
  const [k2, n] = transB ? [b.shape.at(-1)!, b.shape.at(-2)!] : [b.shape.at(-2)!, b.shape.at(-1)!]
  if (k !== k2)
    throw shapeError(
      name,
      `inner sizes ${k} and ${k2} differ${transA ? ', left transposed' : ''}${transB ? ', right transposed' : ''}`,
      [a.shape, b.shape],
    )
  return [...broadcast(name, a.shape.slice(0, -2), b.shape.slice(0, -2)), m, n]
}

/** Whether the inner size is 0: the product is 0 then, which the kernels leave unwritten. */
const sumsNothing = (a: Value, transA: boolean) => a.shape.at(transA ? -2 : -1) === 0

/** d(alpha·op(a)·op(b)) for the four combinations of transposes; products come out with flags, never as transposes. */
function productVjp(a: Tensor, b: Tensor, dy: Tensor, { transA, transB, alpha }: Flags): [Tensor, Tensor] {
  const da = transA ? b.matmul(dy, { transA: transB, transB: true, alpha }) : dy.matmul(b, { transB: !transB, alpha })
  const db = transB ? dy.matmul(a, { transA: true, transB: transA, alpha }) : a.matmul(dy, { transA: !transA, alpha })
  return [unbroadcast(da, a), unbroadcast(db, b)]
}

export const matmul = defineOps({
  matmul: {
    summary: 'alpha · op(a) · op(b) over the last two dimensions, op being the transpose where its flag says so',
    infer: ([a, b], attributes) => [{ shape: productShape('matmul', a!, b!, attributes), dtype: 'f32' }],
    vjp: ({ inputs: [a, b], gradients: [dy], attributes }) => productVjp(a!, b!, dy!, flagsOf(attributes)),
    lower({ inputs: [a, b], outputs: [y], attributes, emit, ints, scalar }) {
      const { transA, transB, alpha } = flagsOf(attributes)
      if (sumsNothing(a!, transA)) {
        emit('Expand', [scalar(0), ints(fixed('matmul', y!.shape))], {}, { outputs: [y!.name] })
        return
      }
      const operands = [a!.name, b!.name]
      const flags = { transA: Number(transA), transB: Number(transB), alpha: { float: alpha } }
      if (!transA && !transB && alpha === 1) emit('MatMul', operands, {}, { outputs: [y!.name] })
      else if (a!.shape.length === 2 && b!.shape.length === 2) emit('Gemm', operands, flags, { outputs: [y!.name] })
      else emit('FusedMatMul', operands, flags, { outputs: [y!.name], domain: 'com.microsoft' })
    },
  },

  gemm: {
    summary: 'alpha · op(a) · op(b) + c for matrices; made from matmul and add by the pass `fuseGemm`',
    infer([a, b, c], attributes) {
      const shape = productShape('gemm', a!, b!, attributes)
      if (shape.length !== 2) throw shapeError('gemm', 'operands must be matrices', [a!.shape, b!.shape])
      broadcast('gemm', shape, c!.shape)
      return [{ shape, dtype: 'f32' }]
    },
    vjp({ inputs: [a, b, c], gradients: [dy], attributes }) {
      return [...productVjp(a!, b!, dy!, flagsOf(attributes)), unbroadcast(dy!, c!)]
    },
    lower({ inputs: [a, b, c], outputs: [y], attributes, emit, ints }) {
      const { transA, transB, alpha } = flagsOf(attributes)
      if (sumsNothing(a!, transA)) {
        emit('Expand', [c!.name, ints(fixed('gemm', y!.shape))], {}, { outputs: [y!.name] })
        return
      }
      const flags = { transA: Number(transA), transB: Number(transB), alpha: { float: alpha } }
      emit('Gemm', [a!.name, b!.name, c!.name], flags, { outputs: [y!.name] })
    },
  },
})
