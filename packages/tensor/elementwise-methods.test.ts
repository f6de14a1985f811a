import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { arrayOf } from './builder.js'
import { evaluate } from './compile.js'
import type { DType, HostTensor } from './dtype.js'
import { cumprod, norm, std, variance } from './functional/index.js'
import { grad } from './grad.js'
import type { Tensor } from './tensor.js'
import { trace } from './trace.js'

interface Numbers {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly data: readonly (number | string)[]
}

interface Golden {
  readonly method: string
  readonly inputs: readonly Numbers[]
  readonly settings: readonly unknown[]
  readonly output: Numbers
  /** Gradients by the inputs of the sum of the result times 1, 2, 3, … */
  readonly d?: readonly Numbers[]
}

const file = new URL('../golden/methods.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { readonly cases: readonly Golden[] }

const functions: Record<string, (x: Tensor, ...settings: never[]) => Tensor> = { cumprod, norm, std, variance }
type Method = (...operands: unknown[]) => Tensor

function apply(method: string, [first, ...others]: readonly Tensor[], settings: readonly unknown[]): Tensor {
  const f = functions[method]
  if (f) return f(first!, ...(settings as never[]))
  return (first as unknown as Record<string, Method>)[method]!(...others, ...settings)
}

const hostOf = ({ dtype, shape, data }: Numbers): HostTensor => ({ dtype, shape, data: arrayOf(dtype, data.map(Number)) })
const numbers = ({ data }: HostTensor) => Array.from(data as ArrayLike<number | bigint>, Number)

function expectNumbers(got: HostTensor, expected: Numbers): void {
  expect([got.dtype, got.shape]).toEqual([expected.dtype, expected.shape])
  for (const [index, value] of numbers(got).entries()) {
    const wanted = Number(expected.data[index])
    // A distance within rounding, relative and, near 0, absolute; infinities, NaN and integers exactly.
    const close = Number.isFinite(wanted) && Math.abs(value - wanted) <= 2e-6 * Math.max(Math.abs(wanted), 1e-2)
    if (!close && value !== wanted) expect([index, value]).toEqual([index, wanted])
  }
}

describe.each(cases)('$method of $inputs.0.dtype $inputs.0.shape $settings', ({ method, inputs, settings, output, d }) => {
  const given = settings.map((setting) =>
    JSON.parse(JSON.stringify(setting), (_, value) => (/^-?Inf/.test(value) ? Number(value) : value)),
  )
  const feeds = Object.fromEntries(inputs.map((input, index) => [`x${index}`, hostOf(input)]))
  const program = trace<string>(feeds, (tensors, builder) => {
    const y = apply(method, Object.values(tensors), given)
    if (!d) return { y }
    const weights = output.data.map((_, index) => index + 1)
    return { y, loss: y.mul(builder.constant(weights, output.shape)).sum() }
  })

  it(d ? 'gives the values and gradients that PyTorch gives' : 'gives the values that PyTorch gives', async () => {
    if (!d) {
      expectNumbers((await evaluate(program, feeds)).y!, output)
      return
    }
    const outputs = await evaluate(grad(program, { of: 'loss', wrt: Object.keys(feeds) }), feeds)
    expectNumbers(outputs.y!, output)
    for (const [index, gradient] of d.entries()) expectNumbers(outputs[`d.x${index}`]!, gradient)
  })
})
