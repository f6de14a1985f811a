import * as ort from 'onnxruntime-web'
import { expect, it } from 'vitest'
import { tensor } from '../builder.js'
import { compile } from '../compile.js'
import { trace } from '../trace.js'
import { webRuntime } from './web.js'

// The same WebAssembly as in a browser, in this process; `nn/web` runs it in Chromium.
const runtime = webRuntime(ort)
const program = trace({ x: { shape: ['n', 2] }, ids: { shape: [2], dtype: 'i64' } }, ({ x, ids }) => ({
  y: x.matmul(x, { transB: true }).silu(),
  found: ids.equal(3),
  sum: x.sum(),
}))
const x = tensor([1, -2, 0.5, 3], [2, 2])
const ids = tensor([3, 4], [2], 'i64')

it('computes what the native runtime computes, in several types', async () => {
  const [web, native] = await Promise.all([compile(program, { runtime }), compile(program)])
  const [here, there] = await Promise.all([web.run({ x, ids }), native.run({ x, ids })])
  expect(here.found!.data).toEqual(there.found!.data)
  expect(here.y!.shape).toEqual([2, 2])
  ;[...(there.y!.data as Float32Array)].forEach((value, index) => {
    expect(Number(here.y!.data[index])).toBeCloseTo(value, 5)
  })
  web.release()
  native.release()
})

it('reads and writes bound buffers, one run after the other', async () => {
  const executable = await compile(program, { runtime })
  const input = tensor([1, 1], [1, 2])
  const sum = tensor([0], [])
  const run = executable.bind({ x: input, ids }, { sum })
  await run.run()
  expect(sum.data[0]).toBe(2)
  ;(input.data as Float32Array).set([4, 5])
  const first = run.run()
  await expect(run.run()).rejects.toThrow(/still running/)
  await first
  expect(sum.data[0]).toBe(9)
  run.release()
  await expect(run.run()).rejects.toThrow(/released/)
  executable.release()
  expect(() => executable.bind({ x: input, ids }, { sum })).toThrow(/released/)
})

it('names what is wrong in typed errors', async () => {
  const executable = await compile(program, { runtime })
  expect(() => executable.bind({ x: tensor([1], [1, 1]), ids }, { sum: tensor([0], []) })).toThrow(
    /'x' must have shape \[\?, 2\]/,
  )
  expect(() => executable.bind({ x }, { sum: tensor([0], []) })).toThrow(/'ids' is missing/)
  const run = executable.bind({ x, ids }, { sum: tensor([0], []) })
  expect(() => run.runSync()).toThrow(/only asynchronously/)
  await expect(run.run(AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' })
  executable.release()
  await expect(compile(program, { runtime, device: 'cuda' })).rejects.toMatchObject({
    code: 'DEVICE_UNAVAILABLE',
    message: /no 'cuda': use one of cpu/,
  })
  await expect(runtime.createSession(new Uint8Array([1, 2, 3]))).rejects.toMatchObject({ code: 'RUNTIME_FAILED' })
})
