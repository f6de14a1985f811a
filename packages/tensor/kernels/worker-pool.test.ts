import { describe, expect, it } from 'vitest'
import { PooledWorker } from './worker-pool.js'

const thread = (body: string) =>
  new PooledWorker<unknown, unknown>(
    new URL(`data:text/javascript,${encodeURIComponent(`import { parentPort } from 'node:worker_threads'\n${body}`)}`),
    0,
  )

describe('a pooled worker', () => {
  it('answers each request with its own reply', async () => {
    const worker = thread(`const waiting = []
      parentPort.on('message', (message) => {
        waiting.push(message)
        if (waiting.length === 2) for (const { id, body } of waiting.reverse()) parentPort.postMessage({ id, result: body * 2 })
      })`)
    expect(await Promise.all([worker.request(1), worker.request(2)])).toEqual([2, 4])
    await worker.close()
  })

  it('fails open and later requests when the thread throws', async () => {
    const worker = thread(`parentPort.on('message', () => { throw new Error('boom') })`)
    const failure = { code: 'KERNEL_FAILED', message: expect.stringContaining('boom') }
    await expect(worker.request(1)).rejects.toMatchObject(failure)
    await expect(worker.request(2)).rejects.toMatchObject(failure)
  })

  it('fails open requests when the thread ends without a word', async () => {
    const worker = thread(`parentPort.on('message', () => process.exit(7))`)
    const failure = { code: 'KERNEL_FAILED', message: expect.stringContaining('ended with code 7') }
    await expect(Promise.all([worker.request(1), worker.request(2)])).rejects.toMatchObject(failure)
  })

  it('fails requests to a thread that never started', async () => {
    const worker = thread('syntax error')
    await expect(worker.request(1)).rejects.toMatchObject({ code: 'KERNEL_FAILED' })
  })

  it('fails open requests when it is closed', async () => {
    const worker = thread(`parentPort.on('message', () => {})`)
    const open = expect(worker.request(1)).rejects.toMatchObject({
      code: 'KERNEL_FAILED',
      message: expect.stringContaining('closed'),
    })
    await worker.close()
    await open
  })
})
