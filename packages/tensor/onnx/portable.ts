import { TensorError } from '../errors.js'
import type { LowerContext, OnnxAttribute } from '../ops/define.js'
import type { Dims } from '../program.js'
import type { OnnxInitializer } from './protobuf.js'

interface PortableContext extends Pick<LowerContext, 'emit' | 'tensor' | 'ints' | 'scalar'> {
  /** Shapes by name, as far as they are known; a size that is not is -1. */
  readonly shapes: Map<string, Dims>
  readonly initializers: ReadonlyMap<string, OnnxInitializer>
}

interface FusedNode {
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: Readonly<Record<string, OnnxAttribute>>
}

type Decomposition = (node: FusedNode, context: PortableContext) => void

const float = (attribute: OnnxAttribute | undefined, absent: number) =>
  typeof attribute === 'object' && 'float' in attribute ? attribute.float : absent
const flag = (attribute: OnnxAttribute | undefined) => attribute === 1

/** x with its last two dimensions swapped; undefined where their number is not known. */
function swapped(x: string, { emit, shapes }: PortableContext): string | undefined {
  const rank = shapes.get(x)?.length
  if (rank === undefined) return undefined
  const perm = Array.from({ length: rank }, (_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis))
  return emit('Transpose', [x], { perm })
}

/** weight · x / sqrt(mean(x²) + epsilon) over the last dimension, and the factor on x. */
function rmsNorm(x: string, weight: string, epsilon: number, [y, inverse]: readonly string[], context: PortableContext) {
  const { emit, ints, scalar } = context
  const mean = emit('ReduceMean', [emit('Mul', [x, x]), ints([-1])], { keepdims: 1 })
  const deviation = emit('Sqrt', [emit('Add', [mean, scalar(epsilon)])])
  const factor = emit('Reciprocal', [deviation], {}, inverse ? { outputs: [inverse] } : {})
  emit('Mul', [emit('Mul', [x, factor]), weight], {}, { outputs: [y!] })
}

/** What ONNX Runtime computes in one kernel, in ONNX's own operators. The kernels' definitions stand in its ContribOperators.md. */
const decompositions: Readonly<Record<string, Decomposition>> = {
  FusedMatMul({ inputs: [a, b], outputs, attributes }, context) {
    const { emit, scalar } = context
    const alpha = float(attributes.alpha, 1)
    const [transA, transB] = [flag(attributes.transA), flag(attributes.transB)]
    const left = transA ? swapped(a!, context) : a!
    const right = transB ? swapped(b!, context) : b!
    const last = alpha === 1 ? { outputs } : {}
    const product =
      left !== undefined && right !== undefined
        ? emit('MatMul', [left, right], {}, last)
        : emit('Einsum', [a!, b!], { equation: `...${transA ? 'km' : 'mk'},...${transB ? 'nk' : 'kn'}->...mn` }, last)
    if (alpha !== 1) emit('Mul', [product, scalar(alpha)], {}, { outputs })
  },

  QuickGelu({ inputs: [x], outputs, attributes }, { emit, scalar }) {
    const alpha = float(attributes.alpha, 1.702)
    const gate = emit('Sigmoid', [alpha === 1 ? x! : emit('Mul', [x!, scalar(alpha)])])
    emit('Mul', [x!, gate], {}, { outputs })
  },

  Gelu({ inputs: [x], outputs }, { emit, scalar }) {
    const erf = emit('Erf', [emit('Mul', [x!, scalar(Math.SQRT1_2)])])
    const half = emit('Mul', [x!, scalar(0.5)])
    emit('Mul', [half, emit('Add', [erf, scalar(1)])], {}, { outputs })
  },

  FastGelu({ inputs: [x], outputs }, { emit, scalar }) {
    // 0.5 · x · (1 + tanh(√(2/π) · (x + 0.044715 · x³)))
    const cube = emit('Mul', [emit('Mul', [x!, x!]), emit('Mul', [x!, scalar(0.044715)])])
    const tanh = emit('Tanh', [emit('Mul', [emit('Add', [x!, cube]), scalar(Math.sqrt(2 / Math.PI))])])
    emit('Mul', [emit('Mul', [x!, scalar(0.5)]), emit('Add', [tanh, scalar(1)])], {}, { outputs })
  },

  SimplifiedLayerNormalization({ inputs: [x, weight], outputs, attributes }, context) {
    rmsNorm(x!, weight!, float(attributes.epsilon, 1e-5), outputs, context)
  },

  SkipSimplifiedLayerNormalization({ inputs: [a, b, weight], outputs: [y, , inverse, sum], attributes }, context) {
    const total = context.emit('Add', [a!, b!], {}, sum ? { outputs: [sum] } : {})
    rmsNorm(total, weight!, float(attributes.epsilon, 1e-5), [y!, ...(inverse ? [inverse] : [])], context)
  },

  RotaryEmbedding({ inputs: [x, positions, cosine, sine], outputs, attributes }, context) {
    if (flag(attributes.interleaved)) throw unsupported('RotaryEmbedding with interleaved pairs')
    rotate(x!, positions!, cosine!, sine!, outputs[0]!, context)
  },

  GroupQueryAttention({ inputs, outputs: [y, newKeys, newValues], attributes }, context) {
    const [qkv, , , keys, values, last, , cosine, sine] = inputs as string[]
    const { emit, ints, scalar, shapes } = context
    const [queries, slots, dim] = [shapes.get(qkv!)?.[1], shapes.get(keys!)?.[2], shapes.get(keys!)?.[3]]
    if (typeof queries !== 'number' || typeof slots !== 'number' || typeof dim !== 'number')
      throw unsupported('GroupQueryAttention over a number of tokens that is not known')
    const [heads, kvHeads] = [attributes.num_heads as number, attributes.kv_num_heads as number]
    const group = heads / kvHeads
    const reshape = (x: string, shape: readonly number[], output?: string) =>
      emit('Reshape', [x, ints(shape)], {}, output === undefined ? {} : { outputs: [output] })
    const byHead = (x: string) => emit('Transpose', [x], { perm: [0, 2, 1, 3] })

    const packed = byHead(reshape(qkv!, [-1, queries, heads + 2 * kvHeads, dim]))
    const [q, k, v] = ['query', 'key', 'value'].map((part) => `#${y} ${part}`) as [string, string, string]
    emit('Split', [packed, ints([heads, kvHeads, kvHeads])], { axis: 1 }, { outputs: [q, k, v] })
    // `last` is the index of the last new token: token t of T stands at last - T + 1 + t.
    const steps = Array.from({ length: queries }, (_, t) => t + 1 - queries)
    const positions = emit('Add', [reshape(emit('Cast', [last!], { to: 7 }), [-1, 1]), ints(steps)])
    const rotated = (x: string) => rotate(x, positions, cosine!, sine!, `${x} rotated`, context)
    const places = emit('Expand', [reshape(positions, [-1, 1, queries, 1]), emit('Shape', [k])])
    emit('ScatterElements', [keys!, places, rotated(k)], { axis: 2 }, { outputs: [newKeys!] })
    emit('ScatterElements', [values!, places, v], { axis: 2 }, { outputs: [newValues!] })

    const rows = reshape(rotated(q), [-1, kvHeads, group * queries, dim])
    const scores = emit('MatMul', [rows, emit('Transpose', [newKeys!], { perm: [0, 1, 3, 2] })])
    const scaled = emit('Mul', [scores, scalar(1 / Math.sqrt(dim))])
    const slot = ints(Array.from({ length: slots }, (_, s) => s))
    const hidden = emit('Greater', [slot, reshape(positions, [-1, 1, 1, queries, 1])])
    const seen = emit('Where', [hidden, scalar(-1e9), reshape(scaled, [-1, kvHeads, group, queries, slots])])
    const p = reshape(emit('Softmax', [seen], { axis: -1 }), [-1, kvHeads, group * queries, slots])
    const mixed = reshape(emit('MatMul', [p, newValues!]), [-1, heads, queries, dim])
    reshape(byHead(mixed), [-1, queries, heads * dim], y)
  },
}

/** x [B, H, T, D] rotated by the angles of `positions` [B, T]; pairs are (i, i + D/2). */
function rotate(
  x: string,
  positions: string,
  cosine: string,
  sine: string,
  output: string,
  { emit, ints }: PortableContext,
): string {
  const angle = (table: string) => emit('Unsqueeze', [emit('Gather', [table, positions], { axis: 0 }), ints([1])])
  const [cos, sin] = [angle(cosine), angle(sine)]
  const [low, high] = [`#${output} low`, `#${output} high`]
  emit('Split', [x], { axis: -1, num_outputs: 2 }, { outputs: [low, high] })
  const mul = (a: string, b: string) => emit('Mul', [a, b])
  const rotated = [emit('Sub', [mul(low, cos), mul(high, sin)]), emit('Add', [mul(high, cos), mul(low, sin)])]
  return emit('Concat', rotated, { axis: -1 }, { outputs: [output] })
}

const unsupported = (op: string) =>
  new TensorError(
    'UNSUPPORTED_OP',
    `${op} is an operator of ONNX Runtime alone and has no form in ONNX's own. Export with target 'onnxruntime'.`,
  )

/** Emits ONNX's own operators; what ONNX Runtime has beyond them is written out. */
export function portableEmit(context: PortableContext): LowerContext['emit'] {
  const { emit, shapes, initializers } = context
  let unnamed = 0
  return (op, inputs, attributes = {}, options = {}) => {
    const decompose = Object.hasOwn(decompositions, op) ? decompositions[op] : undefined
    // Gelu is standard from operator set 20 on, but here only ever meant as ONNX Runtime's.
    if (!decompose || (op === 'Gelu' && !options.domain)) {
      if (options.domain) throw unsupported(op)
      const name = emit(op, inputs, attributes, options)
      const shape = op === 'Reshape' ? initializers.get(inputs[1]!) : undefined
      if (shape) shapes.set(name, Array.from(shape.data() as BigInt64Array, Number))
      return name
    }
    const outputs = options.outputs ?? [`#fused.${unnamed++}`]
    decompose({ inputs, outputs, attributes }, context)
    return outputs[0]!
  }
}
