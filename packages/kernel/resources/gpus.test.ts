import { expect, test } from 'vitest'
import { nvidiaGpus } from './gpus.js'

const MiB = 2 ** 20

test("the driver's lines become processors, in its order", () => {
  expect(nvidiaGpus('NVIDIA H200, 143771, 143226\nNVIDIA RTX A2000, Laptop, 4096, 5000\n')).toEqual([
    { name: 'NVIDIA H200', vramTotal: 143771 * MiB, vramFree: 143226 * MiB, api: 'cuda' },
    { name: 'NVIDIA RTX A2000, Laptop', vramTotal: 4096 * MiB, vramFree: 4096 * MiB, api: 'cuda' },
  ])
})

test('a processor that shares the memory of the machine has none of its own', () => {
  expect(nvidiaGpus('NVIDIA GB10, [N/A], [N/A]')).toEqual([{ name: 'NVIDIA GB10', vramTotal: 0, vramFree: 0, api: 'cuda' }])
})

test('answers that are no list give no processors', () => {
  for (const text of ['', '\n', 'NVIDIA-SMI has failed because it could not communicate with the driver', ', ,', 'a,b']) {
    expect(nvidiaGpus(text)).toEqual([])
  }
})
