import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkGguf } from '../../gguf-check.js'

/** The head of a file: magic, version, tensors, keys. */
function head(version: number, tensors: bigint, keys: bigint): Buffer {
  const bytes = Buffer.alloc(24)
  bytes.write('GGUF')
  bytes.writeUInt32LE(version, 4)
  bytes.writeBigUInt64LE(tensors, 8)
  bytes.writeBigUInt64LE(keys, 16)
  return bytes
}

test('a file that is none, that lies about its size, or that is not there is named before llama.cpp sees it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'enigma-gguf-'))
  const cases: [string, Uint8Array | string][] = [
    ['text.gguf', 'hello'],
    ['empty.gguf', ''],
    ['strange-version.gguf', 'GGUF but not really'],
    ['many-tensors.gguf', head(3, 2n ** 60n, 0n)],
    ['many-keys.gguf', head(3, 0n, 2n ** 40n)],
  ]
  for (const [name, content] of cases) {
    const file = join(folder, name)
    await writeFile(file, content)
    await expect(checkGguf(file)).rejects.toMatchObject({ code: 'MODEL_UNREADABLE', message: expect.stringContaining(name) })
  }
  for (const missing of [folder, join(folder, 'gone.gguf')])
    await expect(checkGguf(missing)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND', message: expect.stringContaining(missing) })
  await rm(folder, { recursive: true })
})
