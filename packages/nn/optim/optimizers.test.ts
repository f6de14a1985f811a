import { KernelWorkers, SharedArena, type Tensor, tensor } from '@enigma/tensor'
import { describe, expect, it } from 'vitest'
import { Layer, losses, nn, optim, TrainingStep } from '../index.js'
import { golden, relativeError } from './golden.test.fixture.js'

const network = () => {
  const net = new nn.Sequential(new nn.Linear(5, 7, { seed: null }), new nn.Tanh(), new nn.Linear(7, 3, { seed: null }))
  net.loadStateDict(
    Object.fromEntries(Object.entries(golden.weights).map(([name, values]) => [name, tensor(values, golden.shapes[name]!)])),
  )
  return net
}
const weightsOf = (net: nn.Sequential) => [...net.namedParameters()].map(([, { data }]) => data.slice())

async function train(net: nn.Sequential, optimizer: optim.Optimizer | readonly optim.ParameterGroup[], clip = {}, steps = 20) {
  const step = await TrainingStep.compile<'x' | 'y'>({
    parameters: net.namedParameters(),
    inputs: { x: { shape: [8, 5] }, y: { shape: [8, 3] } },
    loss: ({ x, y }) => losses.mse(net.forward(x), y),
    optimizer,
    threads: 1,
    spin: false,
    ...clip,
  })
  const snapshots: Float32Array[][] = []
  for (let i = 0; i < steps; i++) {
    const batch = golden.batches[i % golden.batches.length]!
    await step.step(() => {
      step.set('x', batch.x)
      step.set('y', batch.y)
    })
    if (i % 5 === 4) snapshots.push(weightsOf(net))
  }
  await step.close()
  return snapshots
}

/** As the golden script: what Muon does not take goes to AdamW. */
const optimizerOf = ({ optimizer, options }: (typeof golden.cases)[number], net: nn.Sequential) => {
  const made = (optim[optimizer] as (options: object) => optim.Optimizer)(options)
  if (optimizer !== 'muon') return made
  const [matrices, vectors] = [2, 1].map((rank) => net.parameters().filter(({ shape }) => shape.length === rank))
  return [
    { parameters: matrices!, optimizer: made },
    { parameters: vectors!, optimizer: optim.adamw({ lr: 0.01, weightDecay: 0 }) },
  ]
}

describe('optimizers', () => {
  it.each(golden.cases)('$name follows PyTorch for 20 steps', async (golden) => {
    const net = network()
    const names = [...net.namedParameters()].map(([name]) => name)
    const snapshots = await train(net, optimizerOf(golden, net), golden.clip)
    expect(snapshots.length).toBe(golden.weights.length)
    for (const [index, snapshot] of snapshots.entries())
      for (const [position, name] of names.entries())
        expect(relativeError(snapshot[position]!, golden.weights[index]![name]!), `${name}, ${index}`).toBeLessThan(1e-4)
  })

  it('give the same bits twice', async () => {
    for (const golden_ of golden.cases) {
      const [a, b] = [network(), network()]
      await train(a, optimizerOf(golden_, a), golden_.clip, 3)
      await train(b, optimizerOf(golden_, b), golden_.clip, 3)
      expect(weightsOf(b), golden_.name).toEqual(weightsOf(a))
    }
  })

  it('give the same bits with any number of kernel threads, on tensors of several chunks with a tail', async () => {
    const size = 2 ** 18 + 7
    const rules = [
      optim.sgd(),
      optim.sgd({ momentum: 0.9, nesterov: true }),
      optim.adamw({ amsgrad: true }),
      optim.lion(),
      optim.rmsprop({ momentum: 0.5 }),
    ]
    const results = await Promise.all(
      [1, 3].map(async (count) => {
        const [arena, workers] = [new SharedArena(), new KernelWorkers({ workers: count })]
        const outcome: Float32Array[] = []
        for (const rule of rules) {
          const slots = [0, 1].map((index) => {
            const shape = [size]
            const made = (phase: number) => {
              const made = arena.allocate('f32', shape)
              for (let i = 0; i < size; i++) made.data[i] = Math.sin(i + phase)
              return made
            }
            const state = Object.fromEntries(
              Object.entries(rule.state(shape, 'w')).map(([name, shape]) => [name, arena.allocate('f32', shape)]),
            )
            const parameter = new nn.Linear(1, 1).weight
            return { name: `w${index}`, parameter, weight: made(index), gradient: made(index + 2), state }
          })
          for (const step of [1, 2])
            await rule.update(slots, {
              workers,
              learningRate: 0.01,
              step,
              gradientScale: 0.5,
              session: { threads: 1, spin: false },
            })
          rule.close?.(workers)
          outcome.push(...slots.flatMap(({ weight, state }) => [weight, ...Object.values(state)].map(({ data }) => data.slice())))
        }
        await workers.close()
        return outcome
      }),
    )
    for (const [index, data] of results[0]!.entries())
      expect(Buffer.compare(Buffer.from(data.buffer), Buffer.from(results[1]![index]!.buffer)), String(index)).toBe(0)
  })

  it('go on as before from saved state', async () => {
    for (const make of [() => optim.adafactor(), () => optim.sgd({ momentum: 0.9 }), () => optim.muonWithAdamW(network())]) {
      const once = network()
      const groups = (net: nn.Sequential) =>
        make().constructor === Array ? optim.muonWithAdamW(net) : (make() as optim.Optimizer)
      await train(once, groups(once), {}, 4)
      const net = network()
      const compile = () =>
        TrainingStep.compile<'x' | 'y'>({
          parameters: net.namedParameters(),
          inputs: { x: { shape: [8, 5] }, y: { shape: [8, 3] } },
          loss: ({ x, y }) => losses.mse(net.forward(x), y),
          optimizer: groups(net),
          threads: 1,
          spin: false,
        })
      const run = async (step: Awaited<ReturnType<typeof compile>>, from: number) => {
        for (const i of [from, from + 1])
          await step.step(() => {
            step.set('x', golden.batches[i]!.x)
            step.set('y', golden.batches[i]!.y)
          })
      }
      const first = await compile()
      await run(first, 0)
      const state = Object.fromEntries(
        Object.entries(first.optimizerState()).map(([name, { shape, data }]) => [
          name,
          tensor([...(data as Float32Array)], shape),
        ]),
      )
      const second = await compile()
      second.restore(state, first.counters)
      await first.close()
      await run(second, 2)
      await second.close()
      expect(weightsOf(net)).toEqual(weightsOf(once))
    }
  })

  it('of one object train two networks at a time, and one outlives the other', async () => {
    const shared = optim.adagrad()
    const compile = (net: nn.Sequential) =>
      TrainingStep.compile<'x'>({
        parameters: net.namedParameters(),
        inputs: { x: { shape: [1, 5] } },
        loss: ({ x }) => net.forward(x).sum(),
        optimizer: shared,
        threads: 1,
        spin: false,
      })
    const [a, b] = [await compile(network()), await compile(network())]
    const fill = (step: typeof a) => () => step.set('x', [1, 2, 3, 4, 5])
    await Promise.all([a.step(fill(a)), b.step(fill(b))])
    await a.close()
    await b.step(fill(b))
    expect(b.updates).toBe(2)
    await b.close()
  })

  it('name a setting out of range', () => {
    for (const [make, message] of [
      [() => optim.sgd({ lr: -1 }), /sgd: lr must be at least 0, got -1/],
      [() => optim.sgd({ nesterov: true }), /Nesterov momentum needs a momentum/],
      [() => optim.adam({ betas: [0.9, 1] }), /adam: betas\[1\] must be at least 0 and less than 1, got 1/],
      [() => optim.adafactor({ beta2Decay: 0.8 }), /adafactor: -beta2Decay/],
      [() => optim.lion({ weightDecay: Number.NaN }), /lion: weightDecay/],
    ] as const)
      expect(make).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) }))
  })
})

describe('clipping', () => {
  it.each([{ clipNorm: 0 }, { clipValue: -1 }, { clipNorm: Number.NaN }])(
    'refuses %o, which would stop the training',
    async (clip) => {
      await expect(train(network(), optim.sgd(), clip)).rejects.toThrow(/gradient clipping: clip(Norm|Value) must be more than 0/)
    },
  )

  it('does nothing below its limits', async () => {
    const [free, clipped] = [network(), network()]
    await train(free, optim.sgd(), {}, 2)
    await train(clipped, optim.sgd(), { clipNorm: Number.POSITIVE_INFINITY, clipValue: 1e3 }, 2)
    expect(weightsOf(clipped)).toEqual(weightsOf(free))
  })
})

describe('Muon', () => {
  it('names a parameter that is no matrix, and where it belongs', async () => {
    await expect(train(network(), optim.muon())).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/'0\.bias' \[7\] is no matrix.*muonWithAdamW/),
    })
  })

  it('leaves embeddings, the head and vectors to AdamW', () => {
    const net = new nn.Sequential(
      new nn.Embedding(10, 4),
      new nn.Linear(4, 6),
      new nn.Linear(6, 4),
      new nn.RMSNorm(4),
      new nn.Linear(4, 10),
    )
    const kinds = new Map(
      optim
        .muonWithAdamW(net)
        .flatMap(({ parameters, optimizer }) => [...parameters].map((parameter) => [parameter, optimizer.kind] as const)),
    )
    expect([...net.namedParameters()].map(([name, parameter]) => [name, kinds.get(parameter)])).toEqual([
      ['0.weight', 'adamw'],
      ['1.weight', 'muon'],
      ['1.bias', 'adamw'],
      ['2.weight', 'muon'],
      ['2.bias', 'adamw'],
      ['3.weight', 'adamw'],
      ['4.weight', 'adamw'],
      ['4.bias', 'adamw'],
    ])
    expect(optim.muonWithAdamW(new nn.RMSNorm(4)).map(({ optimizer }) => optimizer.kind)).toEqual(['adamw'])
  })

  describe('of a network whose head is not its last layer', () => {
    class Unordered extends Layer {
      readonly lm_head = new nn.Linear(4, 10, { bias: false })
      readonly embed = new nn.Embedding(10, 4)
      readonly body = new nn.Sequential(new nn.Linear(4, 4, { bias: false }), new nn.Linear(4, 4, { bias: false }))
      override forward(x: Tensor): Tensor {
        return this.lm_head.forward(this.body.forward(this.embed.forward(x)))
      }
    }
    const withMuon = (net: Layer, options?: optim.MuonWithAdamWOptions) => {
      const matrices = new Set(optim.muonWithAdamW(net, options).find(({ optimizer }) => optimizer.kind === 'muon')?.parameters)
      return [...net.namedParameters()].flatMap(([name, parameter]) => (matrices.has(parameter) ? [name] : []))
    }
    const net = new Unordered()

    it('finds it by its name', () => expect(withMuon(net)).toEqual(['body.0.weight', 'body.1.weight']))

    it('takes the one that is named or given, and none where there is none', () => {
      expect(withMuon(net, { head: 'body.1' })).toEqual(['lm_head.weight', 'body.0.weight'])
      expect(withMuon(net, { head: net.body })).toEqual(['lm_head.weight'])
      expect(withMuon(net, { head: null })).toEqual(['lm_head.weight', 'body.0.weight', 'body.1.weight'])
    })

    it('refuses a head that is not in the network, with the names that are', () => {
      expect(() => withMuon(net, { head: 'out' })).toThrow(
        /^muonWithAdamW: the head 'out' is no layer of this network. It has: lm_head, embed, body, body\.0, body\.1\.$/,
      )
      expect(() => withMuon(net, { head: new nn.Linear(2, 2) })).toThrow(/the head Linear is no layer of this network/)
    })
  })
})

it('AdamW decays vectors only when asked to', async () => {
  const decayed = async (decayVectors: boolean) => {
    const net = network()
    await train(net, optim.adamw({ lr: 0.1, weightDecay: 0.5, decayVectors }), {}, 1)
    return weightsOf(net)
  }
  const [without, all] = [await decayed(false), await decayed(true)]
  expect(all[0]).toEqual(without[0])
  expect(all[1]).not.toEqual(without[1])
})
