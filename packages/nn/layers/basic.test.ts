import { evaluate, grad, tensor } from '@enigma/tensor'
import { describe, expect, it } from 'vitest'
import { losses, nn, optim, traceNetwork } from '../index.js'
import { expectGolden, layerGoldens } from '../testing/golden.js'

describe.each(layerGoldens('basic'))('nn.$layer $arguments on $input.shape', (golden) => {
  it('gives the outputs and gradients that PyTorch gives', async () => {
    await expectGolden(nn[golden.layer as 'Linear' | 'RMSNorm'], golden)
  })
})

it('nn.Embedding names an index that is no row, negative ones too, when it predicts and when it trains', async () => {
  const layer = new nn.Embedding(3, 2, { seed: 1 })
  const step = await layer.compileStep({ loss: losses.mse, optimizer: optim.sgd() })
  for (const wrong of [-1, 3]) {
    const x = tensor([0, wrong], [2], 'i64')
    const expected = new RegExp(`gatherRows: index ${wrong} at position 1 of 'x0?' is out of range: there are 3 rows, 0 … 2`)
    await expect(layer.predict(x)).rejects.toThrow(expected)
    await expect(step({ x, y: tensor([0, 0, 0, 0], [2, 2]) })).rejects.toThrow(expected)
  }
  await step.close()
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
