import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fit, type NnError, nn, optim } from '../index.js'
import { network, options } from './small-run.test.fixture.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'enigma-fit-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const weightsOf = (net: nn.Sequential) => net.parameters().map(({ data }) => data.slice())

describe('checkpoints of fit', () => {
  it('let an interrupted run end with the same bits, means and history, wherever it was interrupted', async () => {
    const straight = network()
    const whole = await fit(straight, options())
    for (const at of [1, 3, 4, 6]) {
      const run = join(folder, String(at))
      const first = await fit(
        network(),
        options({ checkpoint: { folder: run }, callbacks: [{ onStep: ({ step, stop }) => (step === at ? stop() : undefined) }] }),
      )
      expect(first.ended).toBe('stopped')
      const net = network()
      const told: boolean[] = []
      const resumed = await fit(
        net,
        options({
          checkpoint: { folder: run, resume: true },
          callbacks: [{ onTrainStart: (start) => void told.push(start.resumed, start.step === at) }],
        }),
      )
      expect(told).toEqual([true, true])
      expect(weightsOf(net)).toEqual(weightsOf(straight))
      const plain = (epochs: typeof whole.epochs) => epochs.map(({ seconds: _, ...rest }) => rest)
      expect(plain(resumed.epochs)).toEqual(plain(whole.epochs))
    }
  })

  it('keep the last ones only', async () => {
    await fit(network(), options({ checkpoint: { folder, everySteps: 1, keep: 3 } }))
    expect(await readdir(folder)).toEqual([10, 11, 12].map((step) => `step-${String(step).padStart(9, '0')}.safetensors`))
  })

  it('are not overrun by a new run: it must say that it goes on', async () => {
    await fit(network(), options({ epochs: 1, checkpoint: { folder } }))
    await expect(fit(network(), options({ checkpoint: { folder } }))).rejects.toThrow(
      /holds the checkpoints of a run .*resume: true/,
    )
  })

  it('that are damaged are refused by name, with the one before', async () => {
    await fit(network(), options({ checkpoint: { folder } }))
    const [before, last] = await readdir(folder)
    const bytes = await readFile(join(folder, last!))
    bytes[bytes.length - 7]! ^= 1
    await writeFile(join(folder, last!), bytes)
    const resuming = () => fit(network(), options({ checkpoint: { folder, resume: true } }))
    await expect(resuming()).rejects.toThrow(`Delete it to go on from ${before}`)
    await expect(resuming()).rejects.toMatchObject({ code: 'CHECKPOINT_CORRUPT' } satisfies Partial<NnError>)
    await writeFile(join(folder, last!), bytes.subarray(0, 100))
    await expect(resuming()).rejects.toThrow(/cannot be used/)
    await rm(join(folder, last!))
    expect((await resuming()).epochs).toHaveLength(3)
  })

  it('of another network or of other data are refused', async () => {
    await fit(network(), options({ epochs: 1, checkpoint: { folder } }))
    const other = new nn.Sequential(new nn.Linear(2, 5), new nn.Linear(5, 2))
    await expect(fit(other, options({ checkpoint: { folder, resume: true } }))).rejects.toThrow(
      /is of another network or optimizer/,
    )
    await expect(fit(network(), options({ accumulate: 2, checkpoint: { folder, resume: true } }))).rejects.toThrow(
      /4 updates an epoch, this one has 2/,
    )
  })

  it('keep the best weights and why the run ended, for early stopping', async () => {
    const stopping = (overrides: Parameters<typeof options>[0]) =>
      options({ epochs: 20, optimizer: optim.adamw({ lr: 3 }), earlyStopping: { patience: 2 }, ...overrides })
    const straight = network()
    const whole = await fit(straight, stopping({}))
    expect(whole.ended).toBe('early')
    const checkpoint = { folder, resume: true }
    const halt = {
      onEpochEnd: ({ epoch, stop }: { epoch: number; stop(): void }) => (epoch === whole.epoch + 1 ? stop() : undefined),
    }
    await fit(network(), stopping({ checkpoint, callbacks: [halt] }))
    for (let again = 0; again < 2; again++) {
      const net = network()
      const resumed = await fit(net, stopping({ checkpoint }))
      expect([resumed.ended, resumed.epoch, resumed.epochs.length]).toEqual(['early', whole.epoch, whole.epochs.length])
      expect(weightsOf(net)).toEqual(weightsOf(straight))
    }
  })

  it('of another optimizer are refused', async () => {
    await fit(network(), options({ epochs: 1, checkpoint: { folder } }))
    const other = options({ optimizer: optim.sgd({ lr: 0.1 }), checkpoint: { folder, resume: true } })
    await expect(fit(network(), other)).rejects.toThrow(/it was trained by adamw, not by sgd/)
  })

  it('outlive a kill at any moment: the next run ends with the bits of an undisturbed one', async () => {
    const straight = network()
    await fit(straight, options({ epochs: 6 }))
    const child = fileURLToPath(new URL('./small-run.test.child.js', import.meta.url))
    for (let kill = 0; kill < 4; kill++) {
      const running = spawn(process.execPath, [child, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
      const steps = 3 * kill + 2
      let seen = 0
      for await (const text of running.stdout) {
        seen += String(text).split('\n').length - 1
        if (seen >= steps) break
      }
      running.kill('SIGKILL')
      if (running.exitCode === null && running.signalCode === null) await once(running, 'exit')
    }
    const net = network()
    await fit(net, options({ epochs: 6, checkpoint: { folder, resume: true } }))
    expect(weightsOf(net)).toEqual(weightsOf(straight))
  })
})
