import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const here = (name: string) => JSON.stringify(fileURLToPath(new URL(name, import.meta.url)))

/** A run that takes long enough to be interrupted, started in this thread. `post` says when. */
const longRun = `
  import { nativeRuntime } from ${here('./native.js')}
  import { encodeTestModel } from ${here('./model.test.fixture.js')}
  const size = 512
  const steps = 200
  const nodes = Array.from({ length: steps }, (_, i) => ({
    op: 'MatMul', inputs: [i ? 'x' + i : 'a', 'a'], outputs: [i === steps - 1 ? 'y' : 'x' + (i + 1)],
  }))
  const runtime = await nativeRuntime()
  const session = await runtime.createSession(
    encodeTestModel({ nodes, inputs: { a: [size, size] }, outputs: { y: [size, size] } }), { threads: 2 })
  const tensor = () => ({ dtype: 'f32', shape: [size, size], data: new Float32Array(size * size) })
  const run = session.bind({ a: tensor() }, { y: tensor() })
`

const scripts = {
  exit: `${longRun}
    run.run()
    setTimeout(() => process.exit(3), 50)`,
  natural: `${longRun}
    run.run().then(() => console.log('finished'))`,
  thrown: `${longRun}
    run.run()
    setTimeout(() => { throw new Error('boom') }, 50)`,
  collected: `${longRun.replace('const steps = 200', 'const steps = 20')}
    for (let i = 0; i < 5; i++) {
      const running = session.bind({ a: tensor() }, { y: tensor() }).run()
      gc()
      await running
      gc()
      run.runSync()
    }
    const model = runtime.createSession(
      encodeTestModel({ nodes, inputs: { a: [size, size] }, outputs: { y: [size, size] } }), { threads: 1 })
    gc()
    await model`,
  unreleased: `${longRun.replace('const steps = 200', 'const steps = 1')}
    run.runSync()`,
  worker: `${longRun}
    import { parentPort } from 'node:worker_threads'
    const running = run.run()
    parentPort.postMessage('started')
    await running
    parentPort.postMessage('finished')`,
  workerSync: `${longRun}
    import { parentPort } from 'node:worker_threads'
    parentPort.postMessage('started')
    run.runSync()
    parentPort.postMessage('finished')`,
}
const terminate = (file: string) => `${longRun.replace('const steps = 200', 'const steps = 20')}
  import { Worker } from 'node:worker_threads'
  const worker = new Worker(new URL('./${file}', import.meta.url))
  worker.on('message', async (message) => {
    if (message !== 'started') return
    setTimeout(async () => { await worker.terminate(); run.runSync(); await run.run(); console.log('went on') }, 50)
  })
`

describe('a process that ends while the runtime computes', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'enigma-runtime-'))
    for (const [name, source] of Object.entries(scripts)) await writeFile(join(folder, `${name}.mjs`), source)
    for (const name of ['worker', 'workerSync']) await writeFile(join(folder, `${name}Terminate.mjs`), terminate(`${name}.mjs`))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const outcome = async (name: string) => {
    const child = spawn(process.execPath, ['--expose-gc', join(folder, `${name}.mjs`)], { stdio: ['ignore', 'pipe', 'ignore'] })
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    const [code, signal] = await once(child, 'close')
    return { code, signal, output: output.trim() }
  }

  it('ends with its own code on process.exit', async () => {
    expect(await outcome('exit')).toEqual({ code: 3, signal: null, output: '' })
  })

  it('waits for the run when nothing else is left to do', async () => {
    expect(await outcome('natural')).toEqual({ code: 0, signal: null, output: 'finished' })
  })

  it('ends with code 1 on an error that nobody handles', async () => {
    expect(await outcome('thrown')).toEqual({ code: 1, signal: null, output: '' })
  })

  it('ends cleanly when nothing was released', async () => {
    expect(await outcome('unreleased')).toEqual({ code: 0, signal: null, output: '' })
  })

  it('keeps what native code uses through garbage collections', async () => {
    expect(await outcome('collected')).toEqual({ code: 0, signal: null, output: '' })
  })

  it('survives the end of a worker thread during its asynchronous run', async () => {
    expect(await outcome('workerTerminate')).toEqual({ code: 0, signal: null, output: 'went on' })
  })

  it('survives the end of a worker thread during its synchronous run', async () => {
    expect(await outcome('workerSyncTerminate')).toEqual({ code: 0, signal: null, output: 'went on' })
  })
})
