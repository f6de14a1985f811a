import { dtypes } from '../dtype.js'
import { TensorError } from '../errors.js'
import type { Attributes } from '../program.js'
import { replay } from '../replay.js'
import type { Tensor } from '../tensor.js'
import { defineOps, expectDtype, type Gradients, type LowerContext, shapeError } from './define.js'

/** Ops with derivatives of their own. Where nothing is differentiated they are the identity on their first inputs. */
const asIdentity = ({ inputs, outputs, emit }: LowerContext) => {
  for (const [index, { name }] of outputs.entries()) emit('Identity', [inputs[index]!.name], {}, { outputs: [name] })
}

/** How many of a node's first inputs are its outputs' values. */
export const carried = ({ outputs = 1 }: Attributes): number => outputs as number

function remembered(op: string, inputs: readonly Tensor[], attributes: Attributes): void {
  if (inputs.length <= carried(attributes))
    throw new TensorError('NOT_DIFFERENTIABLE', `${op}: optimize() has dropped the derivative. Call grad() before optimize().`)
}

export const differentiation = defineOps({
  straightThrough: {
    summary: 'the value of its first input with the gradient of its second',
    infer([forward, surrogate]) {
      // `optimize` drops it where nothing is differentiated any more.
      if (!surrogate) return [forward!]
      expectDtype('straightThrough', surrogate!, forward!.dtype)
      if (forward!.shape.join() !== surrogate!.shape.join())
        throw shapeError('straightThrough', 'forward and surrogate must have one shape', [forward!.shape, surrogate!.shape])
      return [forward!]
    },
    vjp({ inputs, gradients: [dy], attributes }) {
      remembered('straightThrough', inputs, attributes)
      return [undefined, dy]
    },
    lower: asIdentity,
  },

  customGradient: {
    summary: 'its first input, whose gradient a function given with it computes: inputs are result, seed, arguments, gradients',
    infer: ([result]) => [result!],
    /** The gradients were traced for the seed in place of `dy`; they are recorded again for `dy`. */
    vjp({ inputs, gradients: [dy], attributes }): Gradients {
      remembered('customGradient', inputs, attributes)
      const wrt = attributes.wrt as readonly number[]
      const [result, seed] = inputs as [Tensor, Tensor]
      const computed = replay(result.builder, new Map([[seed.id, dy!]]), inputs.slice(inputs.length - wrt.length))
      const gradients: Gradients = inputs.map(() => undefined)
      wrt.forEach((argument, index) => {
        gradients[2 + argument] = computed[index]
      })
      return gradients
    },
    lower: asIdentity,
  },

  checkpoint: {
    summary:
      'its first inputs; for the gradient they are computed again from the arguments: inputs are results, arguments, captured',
    infer: (inputs, attributes) => inputs.slice(0, carried(attributes)),
    decompose(inputs, attributes, gradients): Tensor[] {
      remembered('checkpoint', inputs, attributes)
      const results = inputs.slice(0, carried(attributes))
      const given = inputs.slice(results.length, results.length + (attributes.arguments as number))
      const { builder } = inputs[0]!
      const known = gradients.find((gradient) => gradient !== undefined)!
      // The arguments as of when the gradient is there: neither we nor ONNX Runtime can compute from them any earlier.
      const later = new Map<number, Tensor>()
      for (const x of given) later.set(x.id, builder.apply('runAfter', [x, known])[0]!)
      return replay(builder, later, results)
    },
    lower: asIdentity,
  },

  runAfter: {
    summary: 'its first input, which nothing can read before the second is known',
    infer: ([x]) => [x!],
    vjp: ({ gradients: [dy] }) => [dy, undefined],
    lower({ inputs: [x, dependency], outputs: [y], emit, ints }) {
      if (dependency!.shape.includes(0)) {
        emit('Identity', [x!.name], {}, { outputs: [y!.name] })
        return
      }
      // A choice, by one number of the dependency, between x and x: no rewriting rule sees through it.
      const first = emit('Slice', [emit('Reshape', [dependency!.name, ints([-1])]), ints([0]), ints([1]), ints([0])])
      const choice = emit('Cast', [emit('Reshape', [first, ints([])])], { to: dtypes.bool.onnx })
      emit('Where', [choice, x!.name, x!.name], {}, { outputs: [y!.name] })
    },
  },
})
