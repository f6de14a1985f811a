import { describe, expect, it } from 'vitest'
import { compile } from '../compile.js'
import { dtypes, type HostTensor } from '../dtype.js'
import { grad } from '../grad.js'
import type { Program } from '../program.js'
import { feeds, generator, inputsOf, name, programOf } from '../testing/op-cases.js'
import { type OpReference, references } from '../testing/references/index.js'
import { trace } from '../trace.js'
import { blocked } from './blocked.js'
import { type OpName, opTable } from './index.js'
import { quantized } from './quantized.js'

const covered = Object.entries(references) as [OpName, OpReference][]

/** The second derivatives of `loss` along directions, one for each of some inputs: outputs `d.<input>`. */
function alongDirections(program: Program, directions: ReadonlyMap<number, Float32Array>): Program {
  const wrt = [...directions.keys()].map(name)
  const first = grad(program, { of: 'loss', wrt })
  const slope = trace<string>({}, (_, builder) => {
    const map = builder.inline(first)
    const gradient = (input: string) => map[first.outputs.find((output) => output.name === `d.${input}`)!.value]!
    const parts = [...directions].map(([position, direction]) => {
      const d = gradient(name(position))
      return d.mul(builder.constant(direction, d.shape as number[])).sum()
    })
    return { slope: parts.reduce((a, b) => a.add(b)) }
  })
  return grad(slope, { of: 'slope', wrt })
}

const numbers = (tensor: HostTensor) => Float64Array.from(tensor.data as ArrayLike<number | bigint>, Number)

function relativeError(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  let difference = 0
  let size = 0
  for (let i = 0; i < expected.length; i++) {
    difference += (got[i]! - expected[i]!) ** 2
    size += expected[i]! ** 2
  }
  return Math.sqrt(difference) / Math.max(Math.sqrt(size), 1e-3)
}

async function run(program: ReturnType<typeof programOf>, inputs: Record<string, HostTensor>) {
  const executable = await compile(program, { threads: 1 })
  try {
    return await executable.run(inputs)
  } finally {
    executable.release()
  }
}

it('every op has a reference, or its own test', () => {
  const alone: OpName[] = ['cachedAttention', 'customGradient', 'checkpoint']
  const elsewhere = [...alone, ...(Object.keys({ ...blocked, ...quantized }) as OpName[])]
  expect(
    covered
      .map(([op]) => op)
      .concat(elsewhere)
      .sort(),
  ).toEqual(Object.keys(opTable).sort())
})

describe.each(covered)('%s', (op, reference) => {
  it('equals its float64 reference on every shape', async () => {
    for (const [index, opCase] of reference.cases.entries()) {
      const { exact, host } = inputsOf(reference, opCase, index + 1)
      const expected = reference.value(exact, opCase.attributes ?? {})
      const { y } = await run(programOf(op, host, opCase), feeds(host))
      expect(y!.shape, `case ${index}`).toEqual(expected.shape)
      const terms = reference.terms?.(opCase.shapes) ?? 1
      expect(relativeError(numbers(y!), expected.data), `case ${index}`).toBeLessThan(1e-6 * Math.max(1, Math.sqrt(terms)))
    }
  })

  if (reference.notDifferentiable) return

  it('has the derivative that central differences of its reference give', async () => {
    for (const [index, opCase] of reference.cases.entries()) {
      const { exact, host } = inputsOf(reference, opCase, index + 1)
      const attributes = opCase.attributes ?? {}
      const random = generator(index + 100)
      const weights = Float32Array.from({ length: reference.value(exact, attributes).data.length }, () => random() - 0.5)
      const real = host.flatMap(({ dtype }, position) =>
        dtype === 'f32' && !reference.tables?.includes(position) ? [position] : [],
      )
      const program = grad(programOf(op, host, opCase, weights), { of: 'loss', wrt: real.map(name) })
      const outputs = await run(program, feeds(host))
      const loss = () => reference.value(exact, attributes).data.reduce((total, value, i) => total + value * weights[i]!, 0)
      for (const position of real) {
        const data = exact[position]!.data
        const expected = data.map((value, i) => {
          const h = 1e-5
          data[i] = value + h
          const above = loss()
          data[i] = value - h
          const below = loss()
          data[i] = value
          return (above - below) / (2 * h)
        })
        const got = numbers(outputs[`d.${name(position)}`]!)
        expect(relativeError(got, expected), `case ${index}, input ${position}`).toBeLessThan(1e-4)
      }
    }
  })

  it('has the second derivative that central differences of its reference give', async () => {
    const opCase = reference.cases[1]!
    const { exact, host } = inputsOf(reference, opCase, 7)
    const attributes = opCase.attributes ?? {}
    const random = generator(11)
    const draw = (length: number) => Float32Array.from({ length }, () => random() - 0.5)
    const weights = draw(reference.value(exact, attributes).data.length)
    const real = host.flatMap(({ dtype }, position) =>
      dtype === 'f32' && !reference.tables?.includes(position) ? [position] : [],
    )
    const directions = new Map(real.map((position) => [position, draw(exact[position]!.data.length)]))
    const outputs = await run(alongDirections(programOf(op, host, opCase, weights, 2), directions), feeds(host))
    const loss = () => reference.value(exact, attributes).data.reduce((total, value, i) => total + value ** 2 * weights[i]!, 0)
    const h = 1e-4
    /** The loss where all inputs have moved `steps` along the directions. */
    const along = (steps: number) => {
      const move = (by: number) => {
        for (const [position, direction] of directions)
          for (const [i, v] of direction.entries()) exact[position]!.data[i]! += by * v
      }
      move(steps * h)
      const value = loss()
      move(-steps * h)
      return value
    }
    for (const position of real) {
      const data = exact[position]!.data
      const expected = data.map((value, i) => {
        data[i] = value + h
        const above = along(1) - along(-1)
        data[i] = value - h
        const below = along(1) - along(-1)
        data[i] = value
        return (above - below) / (4 * h * h)
      })
      const got = numbers(outputs[`d.${name(position)}`]!)
      expect(relativeError(got, expected), `input ${position}`).toBeLessThan(1e-4)
    }
  })
})

it('dtypes hold what their typed arrays hold', () => {
  for (const { bytes, array } of Object.values(dtypes)) expect(array.BYTES_PER_ELEMENT).toBe(bytes)
})
