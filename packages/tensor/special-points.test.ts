import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { evaluate } from './compile.js'
import * as functional from './functional/index.js'
import { grad } from './grad.js'
import type { Tensor } from './tensor.js'
import { trace } from './trace.js'

interface Numbers {
  readonly shape: readonly number[]
  readonly data: readonly (number | string)[]
}

interface Golden {
  readonly method: string
  readonly inputs: readonly Numbers[]
  readonly settings: readonly unknown[]
  /** Gradients by the inputs of the sum of the result. */
  readonly d: readonly Numbers[]
}

const file = new URL('../golden/special_points.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { readonly cases: readonly Golden[] }

type Call = (...operands: unknown[]) => Tensor

const weighted = (y: Tensor) => y.mul(y.builder.constant([1, 2, 3], [3]))
const more: Record<string, Call> = {
  softmaxWeighted: (x, axis) => weighted((x as Tensor).softmax(axis as number)),
  logSoftmaxWeighted: (x, axis) => weighted((x as Tensor).logSoftmax(axis as number)),
}

function apply(method: string, tensors: readonly Tensor[], settings: readonly unknown[]): Tensor {
  const f = more[method] ?? (functional as unknown as Record<string, Call>)[method]
  if (f) return f(...tensors, ...settings)
  const [first, ...others] = tensors
  return (first as unknown as Record<string, Call>)[method]!(...others, ...settings)
}

const numbers = (values: readonly (number | string)[]) => values.map(Number)
const settingsOf = ({ settings }: Golden) =>
  settings.map((one) => (typeof one === 'object' && one !== null && 'p' in one ? { p: Number(one.p) } : one))

async function gradientsOf(golden: Golden): Promise<number[][]> {
  const names = golden.inputs.map((_, i) => `x${i}`)
  const inputs = Object.fromEntries(names.map((name, i) => [name, { shape: golden.inputs[i]!.shape }]))
  const program = trace<string>(inputs, (x) => ({
    y: apply(
      golden.method,
      names.map((name) => x[name]!),
      settingsOf(golden),
    ).sum(),
  }))
  const feeds = Object.fromEntries(
    names.map((name, i) => {
      const { shape, data } = golden.inputs[i]!
      return [name, { dtype: 'f32', shape, data: Float32Array.from(numbers(data)) } as const]
    }),
  )
  const outputs = await evaluate(grad(program, { of: 'y', wrt: names }), feeds)
  return names.map((name) => Array.from(outputs[`d.${name}`]!.data as Float32Array))
}

const same = (a: number, b: number) => Object.is(a + 0, b + 0) || Math.abs(a - b) <= 1e-6 + 1e-5 * Math.abs(b)

it.each(
  cases.map(
    (golden) => [`${golden.method}${golden.settings.length > 0 ? JSON.stringify(golden.settings) : ''}`, golden] as const,
  ),
)("%s has PyTorch's derivative at corners, poles and ends", async (_, golden) => {
  const got = await gradientsOf(golden)
  const differences = golden.d.flatMap((wanted, input) =>
    numbers(wanted.data).flatMap((value, at) => {
      const own = got[input]![at]!
      if (same(own, value)) return []
      const point = golden.inputs.map(({ data }) => (data.length === wanted.data.length ? data[at] : data.join()))
      return [`by ${input} at ${point}: ${own}, PyTorch ${value}`]
    }),
  )
  expect(differences).toEqual([])
})
