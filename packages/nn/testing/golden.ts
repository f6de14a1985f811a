import { readFileSync } from 'node:fs'
import { evaluate, grad, type HostTensor, tensor } from '@enigma/tensor'
import { expect } from 'vitest'
import type { Layer, UnaryLayer } from '../layer.js'
import { traceNetwork } from '../trace-network.js'

interface Numbers {
  readonly shape: readonly number[]
  readonly data: readonly number[]
}

/** What PyTorch computed for one layer; written by `golden/layers.py`. */
export interface LayerGolden {
  readonly layer: string
  /** Those of the constructor, options included. */
  readonly arguments: readonly never[]
  readonly state: Readonly<Record<string, Numbers>>
  readonly input: Numbers
  readonly output: Numbers
  /** What the output was multiplied with and summed up, for the gradients. */
  readonly seed: Numbers
  /** By the input `x` and by each parameter. */
  readonly gradients: Readonly<Record<string, Numbers>>
  /** After that run, which was a training one; and the output in evaluation with them. */
  readonly buffers?: Readonly<Record<string, Numbers>>
  readonly evaluated?: Numbers
}

/** The cases of `golden/<topic>.json`. */
export function layerGoldens(topic: string): LayerGolden[] {
  const { cases } = JSON.parse(readFileSync(new URL(`../../golden/${topic}.json`, import.meta.url), 'utf8'))
  return cases
}

function expectClose(what: string, got: HostTensor, { shape, data }: Numbers, bound: number): void {
  expect(got.shape, what).toEqual(shape)
  const norm = (values: readonly number[]) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))
  const difference = norm(data.map((value, index) => Number(got.data[index]!) - value))
  // A tensor that is zero but for rounding (the gradient of a bias that a normalisation takes out) has no relative error.
  expect(difference / Math.max(norm(data), 1e-2), what).toBeLessThan(bound)
}

/** Expects of a class of layers what PyTorch's gave: output, gradients, buffers, output in evaluation. */
export async function expectGolden(
  LayerClass: new (...given: never[]) => UnaryLayer,
  golden: LayerGolden,
  bound = 1e-6,
): Promise<void> {
  const layer = new LayerClass(...golden.arguments)
  const { state, input, output, seed, gradients, buffers, evaluated } = golden
  load(layer, state)
  const x = { x: tensor([...input.data], [...input.shape]) }
  const traced = traceNetwork(
    { x: { shape: input.shape } },
    ({ x }) => {
      const y = layer.forward(x)
      return { y, loss: y.mul(x.builder.constant(seed.data, seed.shape)).sum() }
    },
    { training: true },
  )
  const names = new Map([...layer.namedParameters()].map(([name, parameter]) => [parameter, name]))
  const inputs = new Map([['x', 'x'], ...Object.entries(traced.parameters).map(([key, own]) => [names.get(own)!, key] as const)])
  const program = grad(traced.program, { of: 'loss', wrt: [...inputs.values()] })
  const outputs = await evaluate(program, { ...x, ...traced.parameters, ...traced.buffers })
  expectClose('output', outputs.y!, output, bound)
  for (const [name, expected] of Object.entries(gradients))
    expectClose(`gradient of ${name}`, outputs[`d.${inputs.get(name)}`]!, expected, bound * 3)

  const bufferNames = new Map([...layer.namedBuffers()].map(([name, buffer]) => [buffer, name]))
  const updated = Object.entries(traced.updates).map(([key, buffer]) => [bufferNames.get(buffer)!, outputs[key]!] as const)
  expect(updated.map(([name]) => name).sort()).toEqual(Object.keys(buffers ?? {}).sort())
  for (const [name, value] of updated) expectClose(`${name} after the run`, value, buffers![name]!, bound)
  if (!evaluated) return
  layer.loadStateDict(Object.fromEntries(updated), { strict: false })
  const evaluation = traceNetwork({ x: { shape: input.shape } }, ({ x }) => ({ y: layer.forward(x) }))
  const { y } = await evaluate(evaluation.program, { ...x, ...evaluation.parameters, ...evaluation.buffers })
  expectClose('output in evaluation', y!, evaluated, bound)
}

function load(layer: Layer, state: LayerGolden['state']): void {
  const own = layer.stateDict()
  layer.loadStateDict(
    Object.fromEntries(Object.entries(state).map(([name, { data, shape }]) => [name, tensor(data, shape, own[name]?.dtype)])),
  )
}
