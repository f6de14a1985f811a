import { describe, expect, it } from 'vitest'
import { evaluate } from '../compile.js'
import { sizeOf } from '../dtype.js'
import { grad } from '../grad.js'
import { graphOf } from '../onnx/graph.js'
import { optimize } from '../passes/index.js'
import type { Tensor } from '../tensor.js'
import { trace } from '../trace.js'
import { opTable } from './index.js'

const wave = (count: number, pitch: number) => Array.from({ length: count }, (_, i) => Math.fround(Math.sin(pitch * (i + 1))))

/** Names and shapes of a layer's inputs. */
function inputsOf(gates: number, states: readonly string[], [T, B, I, H]: readonly [number, number, number, number]) {
  const rows = gates * H
  const initial = Object.fromEntries(states.map((name) => [name, [B, H]]))
  const shapes = { x: [T, B, I], weightIh: [rows, I], weightHh: [rows, H], biasIh: [rows], biasHh: [rows], ...initial }
  return Object.entries(shapes).map(([name, shape]) => ({ name, shape }))
}

describe.each([
  { op: 'lstm', gates: 4, states: ['h0', 'c0'] },
  { op: 'gru', gates: 3, states: ['h0'] },
] as const)('$op', ({ op, gates, states }) => {
  const program = (inputs: ReturnType<typeof inputsOf>, results: readonly number[], outputsOf: (inputs: Tensor[]) => Tensor[]) =>
    trace<string>(Object.fromEntries(inputs.map(({ name, shape }) => [name, { shape }])), (given, builder) => {
      const outputs = outputsOf(inputs.map(({ name }) => given[name]!))
      const parts = results.map((index) => {
        const y = outputs[index]!
        const shape = y.shape as number[]
        return y.mul(builder.constant(wave(sizeOf(shape), 1.1 + index), shape)).sum()
      })
      return { loss: parts.reduce((a, b) => a.add(b)) }
    })

  it.each([
    [1, 1, 1, 1],
    [1, 3, 2, 4],
    [4, 2, 3, 5],
  ] as const)('has by every choice of results the derivative of its decomposition, T %i, B %i, I %i, H %i', async (...sizes) => {
    const inputs = inputsOf(gates, states, sizes)
    const point = Object.fromEntries(inputs.map(({ name, shape }, index) => [name, wave(sizeOf(shape), 0.7 + index)]))
    const wrt = inputs.map(({ name }) => name)
    const choices = states.length === 2 ? [[0], [1], [2], [0, 1], [1, 2], [0, 1, 2]] : [[0], [1], [0, 1]]
    for (const choice of choices) {
      const own = program(inputs, choice, (given) => given[0]!.builder.apply(op, given))
      const simple = program(inputs, choice, (given) => opTable[op].decompose!(given, {}, []))
      const [got, expected] = await Promise.all(
        [own, simple].map((loss) => evaluate(grad(loss, { of: 'loss', wrt }), point, { threads: 1 })),
      )
      for (const name of [...wrt.map((input) => `d.${input}`), 'loss'])
        for (const [index, value] of (expected![name]!.data as Float32Array).entries())
          expect(got![name]!.data[index], `${name} by results ${choice}`).toBeCloseTo(value, 5)
    }
  })

  it('is one node of ONNX where nothing is differentiated, and its steps where something is', () => {
    const loss = program(inputsOf(gates, states, [3, 2, 2, 2]), [0], (given) => given[0]!.builder.apply(op, given))
    const nodes = (of: typeof loss) => graphOf(optimize(of)).nodes.filter((node) => node.op === op.toUpperCase()).length
    expect(nodes(loss)).toBe(1)
    expect(nodes(grad(loss, { of: 'loss', wrt: ['x'] }))).toBe(0)
  })
})
