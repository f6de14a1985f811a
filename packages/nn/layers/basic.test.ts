import { evaluate, grad, tensor } from '@enigma/tensor'
import { describe, expect, it } from 'vitest'
import { nn, traceNetwork } from '../index.js'
import { expectGolden, layerGoldens } from '../testing/golden.js'

describe.each(layerGoldens('basic'))('nn.$layer $arguments on $input.shape', (golden) => {
  it('gives the outputs and gradients that PyTorch gives', async () => {
    await expectGolden(nn[golden.layer as 'Linear' | 'RMSNorm'], golden)
  })
})

it('nn.Embedding gives rows, and their gradients add up where a row is read twice', async () => {
  const layer = new nn.Embedding(3, 2, { seed: 1 })
  const [a, b, c, d, e, f] = layer.weight.data
  const { program, parameters } = traceNetwork({ ids: { shape: [2, 2], dtype: 'i64' } }, ({ ids }) => {
    const y = layer.forward(ids)
    return { y, loss: y.mul(y.builder.constant([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2])).sum() }
  })
  const [weight] = Object.keys(parameters)
  const outputs = await evaluate(grad(program, { of: 'loss', wrt: [weight!] }), {
    ids: tensor([2, 0, 2, 1], [2, 2], 'i64'),
    ...parameters,
  })
  expect([...outputs.y!.data]).toEqual([e, f, a, b, e, f, c, d])
  expect([...outputs[`d.${weight}`]!.data]).toEqual([3, 4, 7, 8, 1 + 5, 2 + 6])
})
