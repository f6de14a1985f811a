import { tensor } from '@enigma/tensor'
import { describe, expect, it } from 'vitest'
import { DataLoader, fit, losses, optim, progressBar, tensorDataset } from '../index.js'
import { network, options, plainNetwork } from './small-run.test.fixture.js'

describe('fit', () => {
  it('learns, and tells what happens in order', async () => {
    const net = network()
    const told: string[] = []
    const history = await fit(
      net,
      options({
        callbacks: [
          {
            onTrainStart: ({ epochs, stepsPerEpoch, parameters }) =>
              void told.push(`start ${epochs} ${stepsPerEpoch} ${parameters}`),
            onEpochStart: ({ epoch }) => void told.push(`epoch ${epoch}`),
            onStep: ({ step, steps }) => void told.push(`${step}/${steps}`),
            onEpochEnd: ({ epoch, valid }) => void told.push(`end ${epoch} ${valid!.metrics.accuracy! > 0.5}`),
            onTrainEnd: ({ ended }) => void told.push(ended),
          },
        ],
      }),
    )
    expect(told.slice(0, 7)).toEqual(['start 3 4 58', 'epoch 0', '1/12', '2/12', '3/12', '4/12', 'end 0 true'])
    expect(told.at(-1)).toBe('finished')
    expect(history.epochs.map(({ step }) => step)).toEqual([4, 8, 12])
    const last = history.epochs.at(-1)!
    expect(last.valid!.metrics.accuracy).toBeGreaterThan(0.9)
    expect(last.loss).toBeLessThan(history.epochs[0]!.loss)
    const { shape, data } = await net.predict(tensor([-1, 0, 1, 0], [2, 2]))
    expect(shape).toEqual([2, 2])
    expect(Number(data[0]) > Number(data[1]) && Number(data[3]) > Number(data[2])).toBe(true)
    await net.release()
  })

  it('gives the same bits twice', async () => {
    const run = async () => {
      const net = network()
      await fit(net, options({ schedule: optim.schedules.cosine }))
      return net.parameters().map(({ data }) => data.slice())
    }
    expect(await run()).toEqual(await run())
  })

  it('weights the mean of an epoch by the examples of its batches', async () => {
    const net = plainNetwork()
    for (const parameter of net.parameters()) parameter.data.fill(0)
    const data = tensorDataset({ x: tensor(Array(10).fill(1), [5, 2]), y: tensor([0, 0, 0, 0, 1], [5], 'i64') })
    const { epochs } = await fit(
      net,
      options({ train: new DataLoader(data, { batchSize: 4 }), epochs: 1, optimizer: optim.adamw({ lr: 1e-12 }) }),
    )
    // The four of the first batch are right (all outputs are equal), the one of the second is not: the update leans to class 0.
    expect(epochs[0]!.metrics.accuracy).toBeCloseTo(0.8)
    expect(epochs[0]!.loss).toBeCloseTo(Math.log(2), 5)
  })

  it('accumulates batches of different sizes', async () => {
    const history = await fit(network(), options({ accumulate: 2, epochs: 1 }))
    expect(history.epochs[0]!.step).toBe(2)
  })

  it('ends early at the best epoch, and has its weights', async () => {
    const net = network()
    const seen: number[][] = []
    const history = await fit(
      net,
      options({
        epochs: 20,
        optimizer: optim.adamw({ lr: 3 }),
        earlyStopping: { monitor: 'valid.loss', patience: 2 },
        callbacks: [{ onEpochEnd: () => void seen.push([...net.parameters()[0]!.data]) }],
      }),
    )
    expect(history.ended).toBe('early')
    const values = history.epochs.map(({ valid }) => valid!.loss)
    expect(history.epoch).toBe(values.indexOf(Math.min(...values)))
    expect(history.epochs).toHaveLength(history.epoch + 3)
    expect([...net.parameters()[0]!.data]).toEqual(seen[history.epoch])
  })

  it('stops when a callback or a signal says so', async () => {
    const stopping = await fit(
      network(),
      options({ callbacks: [{ onStep: ({ step, stop }) => (step === 2 ? stop() : undefined) }] }),
    )
    expect(stopping).toMatchObject({ ended: 'stopped', epochs: [] })
    const controller = new AbortController()
    const aborted = await fit(
      network(),
      options({ signal: controller.signal, callbacks: [{ onEpochEnd: () => controller.abort() }] }),
    )
    expect(aborted.ended).toBe('aborted')
    expect(aborted.epochs).toHaveLength(1)
  })

  it('names epoch and step when the loss explodes, and leaves the weights of before', async () => {
    const net = network()
    const running = fit(net, options({ optimizer: optim.adamw({ lr: 1e38 }), epochs: 50 }))
    await expect(running).rejects.toThrow(/Epoch \d+, step \d+: The loss is .*A lower learning rate or clipNorm may help/)
  })

  it('refuses a loader of validation data that gives no batch, before any training', async () => {
    const net = network()
    const before = net.parameters().map(({ data }) => [...data])
    const small = new DataLoader(tensorDataset({ x: tensor([1, 2, 3]) }), { batchSize: 4, dropLast: true })
    await expect(fit(net, options({ valid: small }))).rejects.toThrow(/^valid: the loader of 3 examples gives no batch/)
    await expect(fit(net, options({ valid: [] as never }))).rejects.toThrow(/^valid must be a DataLoader/)
    expect(net.parameters().map(({ data }) => [...data])).toEqual(before)
  })

  it('refuses early stopping on validation without validation data', async () => {
    const { valid: _, ...rest } = options({ earlyStopping: {} })
    await expect(fit(network(), rest)).rejects.toThrow(/there is no `valid` data/)
  })

  it('shows progress: one line an epoch, a live line on a terminal', async () => {
    const lines: string[] = []
    await fit(network(), options({ epochs: 2, callbacks: [progressBar({ write: (text) => lines.push(text) })] }))
    expect(lines).toHaveLength(2)
    expect(lines[1]).toMatch(/^epoch 2\/2 {2}loss \d\.\d{4} {2}accuracy .* valid loss .* valid accuracy .* s\n$/)
    const live: string[] = []
    await fit(
      network(),
      options({ epochs: 1, callbacks: [progressBar({ isTTY: true, columns: 60, write: (text) => live.push(text) })] }),
    )
    expect(live[0]).toMatch(/^\repoch 1\/1 {2}█+░+ {2}loss/)
    expect(Math.max(...live.slice(0, -1).map((text) => text.length))).toBeLessThan(70)
  })
})

describe('a compiled step', () => {
  it('takes batches of any shape and returns the loss', async () => {
    const net = network()
    const step = await net.compileStep({ loss: losses.crossEntropy, optimizer: optim.adamw({ lr: 0.05 }), threads: 1 })
    const batch = (count: number) => ({
      x: tensor(Array(2 * count).fill(0.5), [count, 2]),
      y: tensor(Array(count).fill(1), [count], 'i64'),
    })
    const first = await step(batch(4))
    for (let i = 0; i < 20; i++) await step(batch(4))
    const other = await step(batch(3))
    expect(other.loss).toBeLessThan(first.loss / 2)
    await step.close()
  })

  it('says what a batch lacks', async () => {
    const step = await network().compileStep({ loss: losses.crossEntropy, optimizer: optim.adamw() })
    await expect(step({ input: tensor([1, 2], [1, 2]) })).rejects.toThrow(/A batch of input has no 'x'.*option 'forward'/)
    await step.close()
  })

  it('makes networks of one’s own inputs and targets', async () => {
    const net = plainNetwork()
    const step = await net.compileStep({
      loss: losses.mse,
      optimizer: optim.adamw({ lr: 0.05 }),
      forward: ({ a }) => net.forward(a!),
      target: ({ b }) => b!,
    })
    const batch = { a: tensor([1, 2], [1, 2]), b: tensor([3, 4], [1, 2]) }
    const { loss } = await step(batch)
    expect((await step(batch)).loss).toBeLessThan(loss)
    await step.close()
  })
})
