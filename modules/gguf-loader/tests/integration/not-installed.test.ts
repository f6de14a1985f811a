import { join } from 'node:path'
import { ModuleManager } from '@enigma/kernel'
import { expect, test } from 'vitest'
import { LlamaProcess } from '../../llama-process.js'

const modules = join(import.meta.dirname, '../../../..')
const options = { context: 64, parallel: 1, gpuLayers: 0, threads: 1, cacheType: 'f32' } as const

test('without the package an error names the command that installs it', async () => {
  const starting = LlamaProcess.start({ ...options, file: 'x.gguf', library: 'no-such-package' })
  await expect(starting).rejects.toMatchObject({
    code: 'NOT_INSTALLED',
    message:
      'GGUF files are run by llama.cpp, whose package no-such-package is not installed. Run: npm install no-such-package@3.21.1',
  })
})

test('without a file the module says what it needs; asking beforehand starts nothing', async () => {
  await using manager = await ModuleManager.open({ modules: [modules], hardware: { gpus: [] } })
  expect(await manager.canLoad('gguf-loader')).toMatchObject({ ok: true })
  await expect(manager.load('gguf-loader')).rejects.toThrow("Pass the file to run: { model: './model.gguf' }")
})
