import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { HostTensor } from '../dtype.js'
import { encodeTestModel } from './model.test.fixture.js'
import { nativeRuntime } from './native.js'
import type { Runtime, Session } from './runtime.js'

const f32 = (shape: number[], values: readonly number[] = []): HostTensor => {
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1))
  data.set(values)
  return { dtype: 'f32', shape, data }
}
const shared = ({ dtype, shape, data }: HostTensor): HostTensor => {
  const copy = new Float32Array(new SharedArrayBuffer(data.byteLength))
  copy.set(data as Float32Array)
  return { dtype, shape, data: copy }
}
const product = encodeTestModel({
  nodes: [{ op: 'MatMul', inputs: ['a', 'b'], outputs: ['c'] }],
  inputs: { a: [2, 3], b: [3, 'n'] },
  outputs: { c: [2, 'n'] },
})
/** A chain of products of an N × N matrix with itself: `steps` × 2N³ operations. */
const chain = (size: number, steps: number) =>
  encodeTestModel({
    nodes: Array.from({ length: steps }, (_, step) => ({
      op: 'MatMul',
      inputs: [step ? `x${step}` : 'a', 'a'],
      outputs: [step === steps - 1 ? 'y' : `x${step + 1}`],
    })),
    inputs: { a: [size, size] },
    outputs: { y: [size, size] },
  })
const a = f32([2, 3], [1, 2, 3, 4, 5, 6])
const b = f32([3, 2], [1, 0, 0, 1, 1, 1])
const expected = [4, 5, 10, 11]

describe('native runtime', () => {
  let runtime: Runtime
  let session: Session
  beforeAll(async () => {
    runtime = await nativeRuntime()
    session = await runtime.createSession(product, { threads: 1 })
  })
  afterAll(() => session.release())

  it('is ONNX Runtime 1.30 and has a CPU', () => {
    expect(runtime.name).toBe('onnxruntime')
    expect(runtime.version).toMatch(/^1\.30\./)
    expect(runtime.devices()).toContain('cpu')
  })

  it('names inputs and outputs in the order of the model', () => {
    expect(session.inputs).toEqual(['a', 'b'])
    expect(session.outputs).toEqual(['c'])
  })

  it('computes into the given array, and again from what the feeds then hold', async () => {
    const feed = f32([2, 3], a.data as unknown as number[])
    const c = f32([2, 2])
    const run = session.bind({ a: feed, b }, { c })
    await run.run()
    expect([...c.data]).toEqual(expected)
    feed.data[0] = 10
    run.runSync()
    expect([...c.data]).toEqual([13, 5, 10, 11])
    run.release()
  })

  it('reads and writes shared memory', async () => {
    const c = shared(f32([2, 2]))
    const run = session.bind({ a: shared(a), b: shared(b) }, { c })
    await run.run()
    expect([...c.data]).toEqual(expected)
    run.release()
  })

  it('takes views into the middle of a buffer', () => {
    const pool = new Float32Array(32).fill(-1)
    pool.set(a.data as Float32Array, 3)
    const c: HostTensor = { dtype: 'f32', shape: [2, 2], data: pool.subarray(16, 20) }
    session.bind({ a: { ...a, data: pool.subarray(3, 9) }, b }, { c }).runSync()
    expect([...pool.subarray(15, 21)]).toEqual([-1, ...expected, -1])
  })

  it('accepts tensors without elements', () => {
    const c = f32([2, 0])
    session.bind({ a, b: f32([3, 0]) }, { c }).runSync()
    expect(c.data.length).toBe(0)
  })

  it('computes integers of 64 bits', async () => {
    const sum = await runtime.createSession(
      encodeTestModel({
        nodes: [{ op: 'Add', inputs: ['a', 'a'], outputs: ['y'] }],
        inputs: { a: [1] },
        outputs: { y: [1] },
        dtype: 'i64',
      }),
    )
    const y: HostTensor = { dtype: 'i64', shape: [1], data: new BigInt64Array(1) }
    sum.bind({ a: { dtype: 'i64', shape: [1], data: BigInt64Array.of(2n ** 60n) } }, { y }).runSync()
    expect(y.data[0]).toBe(2n ** 61n)
    sum.release()
  })

  describe('says what is wrong with', () => {
    const c = f32([2, 2])
    const cases: [string, Record<string, HostTensor>, Record<string, HostTensor>, string, RegExp][] = [
      ['a missing input', { a }, { c }, 'UNKNOWN_INPUT', /Input 'b' is missing.*a, b/],
      ['an unknown input', { a, b, z: a }, { c }, 'UNKNOWN_INPUT', /no input 'z'.*a, b/],
      ['an unknown output', { a, b }, { d: c }, 'UNKNOWN_OUTPUT', /no output 'd'.*c/],
      ['no output at all', { a, b }, {}, 'UNKNOWN_OUTPUT', /at least one of c/],
      ['a wrong size', { a: f32([3, 3]), b }, { c }, 'SHAPE_MISMATCH', /Input 'a' must have shape \[2, 3\], given \[3, 3\]/],
      ['a wrong rank', { a, b: f32([3]) }, { c }, 'SHAPE_MISMATCH', /Input 'b' must have shape \[3, \?\], given \[3\]/],
      ['data of the wrong length', { a: { ...a, data: new Float32Array(5) }, b }, { c }, 'SHAPE_MISMATCH', /6 elements.*holds 5/],
      [
        'a wrong type',
        { a: { ...a, dtype: 'i32', data: new Int32Array(6) }, b },
        { c },
        'DTYPE_MISMATCH',
        /must be f32, given i32/,
      ],
      ['the wrong array', { a: { ...a, data: new Int32Array(6) }, b }, { c }, 'DTYPE_MISMATCH', /Float32Array.*Int32Array/],
    ]
    for (const [what, feeds, fetches, code, message] of cases)
      it(what, () => {
        expect(() => session.bind(feeds, fetches)).toThrow(
          expect.objectContaining({ code, message: expect.stringMatching(message) }),
        )
      })

    it('a fetch whose size only the run can know', async () => {
      const run = session.bind({ a, b }, { c: f32([2, 3]) })
      const failure = { code: 'RUNTIME_FAILED', message: expect.stringContaining('computed output shape') }
      await expect(run.run()).rejects.toMatchObject(failure)
      expect(() => run.runSync()).toThrow(expect.objectContaining(failure))
      run.release()
    })

    it('bytes that are no model', async () => {
      await expect(runtime.createSession(new Uint8Array(10))).rejects.toMatchObject({
        code: 'RUNTIME_FAILED',
        message: expect.stringContaining('protobuf'),
      })
    })

    it('an impossible number of threads', async () => {
      await expect(runtime.createSession(product, { threads: 0 })).rejects.toThrow(/threads/)
    })

    it('a GPU that does not start', async () => {
      const missing = runtime.createSession(product, { device: 'cuda' }).then((s) => s.release())
      await missing.catch((error) =>
        expect(error).toMatchObject({ code: 'DEVICE_UNAVAILABLE', message: expect.stringContaining("'cuda'") }),
      )
    })
  })

  it('keeps given weights outside the model, in place, and folds what depends on them', async () => {
    const model = encodeTestModel({
      nodes: [
        { op: 'Exp', inputs: ['w'], outputs: ['e'] },
        { op: 'MatMul', inputs: ['a', 'e'], outputs: ['folded'] },
        { op: 'Add', inputs: ['a', 'v'], outputs: ['added'] },
      ],
      inputs: { a: [2, 2] },
      outputs: { folded: [2, 2], added: [2, 2] },
      externals: { w: [2, 2], v: [2, 2] },
    })
    const v = shared(f32([2, 2], [1, 2, 3, 4]))
    const initializers = { w: f32([2, 2]), v }
    const weighted = await runtime.createSession(model, { initializers })
    const [folded, added] = [f32([2, 2]), f32([2, 2])]
    const run = weighted.bind({ a: f32([2, 2], [1, 2, 3, 4]) }, { folded, added })
    run.runSync()
    expect([...folded.data]).toEqual([3, 3, 7, 7])
    expect([...added.data]).toEqual([2, 4, 6, 8])
    v.data[0] = 100 // not a promise of the interface: it shows that nothing was copied
    run.runSync()
    expect(added.data[0]).toBe(101)
    weighted.release()
    await expect(runtime.createSession(model, { initializers: { v } })).rejects.toMatchObject({
      message: expect.stringContaining('w'),
    })
  })

  it('leaves the event loop free while it computes', async () => {
    const busy = await runtime.createSession(chain(512, 60), { threads: 1 })
    const run = busy.bind({ a: f32([512, 512]) }, { y: f32([512, 512]) })
    let turns = 0
    let running = true
    const done = run.run().then(() => {
      running = false
    })
    while (running) {
      turns++
      await nextTurn()
    }
    await done
    expect(turns).toBeGreaterThan(20)
    busy.release()
  })

  it('stops a run when its signal fires, and runs again afterwards', async () => {
    const steps = 400
    const busy = await runtime.createSession(chain(512, steps), { threads: 1 })
    const y = f32([512, 512])
    const run = busy.bind({ a: f32([512, 512]) }, { y })
    const controller = new AbortController()
    const reason = new Error('enough')
    const start = performance.now()
    const running = run.run(controller.signal)
    setTimeout(() => controller.abort(reason), 20)
    await expect(running).rejects.toMatchObject({ code: 'ABORTED', cause: reason })
    const stopped = performance.now() - start
    await expect(run.run(controller.signal)).rejects.toMatchObject({ code: 'ABORTED' })
    const restart = performance.now()
    await run.run(new AbortController().signal)
    expect(stopped).toBeLessThan((performance.now() - restart) / 2)
    busy.release()
  })

  it('refuses a second run on buffers in use, and runs other buffers at the same time', async () => {
    const fetches = [f32([2, 2]), f32([2, 2])] as const
    const [first, second] = fetches.map((c) => session.bind({ a, b }, { c }))
    const running = [first!.run(), second!.run()]
    expect(() => first!.runSync()).toThrow(/still running/)
    await expect(first!.run()).rejects.toThrow(/still running/)
    await Promise.all(running)
    for (const { data } of fetches) expect([...data]).toEqual(expected)
  })

  it('finishes a run that is in flight before it releases', async () => {
    const brief = await runtime.createSession(chain(128, 50), { threads: 1 })
    const y = f32([128, 128])
    const identity = Array.from({ length: 128 * 128 }, (_, index) => (index % 129 === 0 ? 1 : 0))
    const run = brief.bind({ a: f32([128, 128], identity) }, { y })
    const running = run.run()
    run.release()
    brief.release()
    await running
    expect([...y.data]).toEqual(identity)
    await expect(run.run()).rejects.toThrow(/released/)
    expect(() => run.runSync()).toThrow(/released/)
    expect(() => brief.bind({}, {})).toThrow(/released/)
    run.release()
    brief.release()
  })

  it('ends the bound runs of a session with it', async () => {
    const brief = await runtime.createSession(product)
    const run = brief.bind({ a, b }, { c: f32([2, 2]) })
    brief.release()
    expect(() => run.runSync()).toThrow(/released/)
  })

  it('gives bit-equal results on every run', async () => {
    const size = 96
    const values = Array.from({ length: size * size }, (_, index) => Math.sin(index) / size)
    const busy = await runtime.createSession(chain(size, 4), { threads: 2 })
    const results = Array.from({ length: 5 }, () => {
      const y = f32([size, size])
      busy.bind({ a: f32([size, size], values) }, { y }).runSync()
      return Buffer.from(y.data.buffer).toString('base64')
    })
    expect(new Set(results).size).toBe(1)
    busy.release()
  })

  it('does not leak over 2000 bindings', () => {
    const big = f32([3, 4096])
    const cycle = () => {
      const run = session.bind({ a, b: big }, { c: f32([2, 4096]) })
      run.runSync()
      run.release()
    }
    for (let i = 0; i < 200; i++) cycle()
    const before = process.memoryUsage().rss
    for (let i = 0; i < 2000; i++) cycle()
    // Leaking the fetches alone would hold 64 MB.
    expect(process.memoryUsage().rss - before).toBeLessThan(48 * 2 ** 20)
  })
})
