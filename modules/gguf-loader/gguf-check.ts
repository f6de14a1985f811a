import { open, stat } from 'node:fs/promises'
import { EngineError } from '@enigma/engines'
import { GgufFile, LmError } from '@enigma/lm'

/** What llama.cpp's bindings read; they take other numbers for these, and count for ever in files that are none. */
const versions = [2, 3]

/**
 * Looks at the head of a file before llama.cpp does.
 * @throws EngineError FILE_NOT_FOUND, MODEL_UNREADABLE
 */
export async function checkGguf(file: string): Promise<void> {
  const isFile = await stat(file).then(
    (entry) => entry.isFile(),
    () => false,
  )
  if (!isFile) throw new EngineError('FILE_NOT_FOUND', `No GGUF file at ${file}. Pass the path of one as the module's model.`)
  const version = await versionOf(file)
  if (!versions.includes(version))
    throw new EngineError(
      'MODEL_UNREADABLE',
      `${file} is no GGUF file of version ${versions.join(' or ')}. Fetch or write it again.`,
    )
  try {
    await (await GgufFile.open(file))[Symbol.asyncDispose]()
  } catch (error) {
    // There are ways to store weights that llama.cpp knows and we do not.
    if (error instanceof LmError && error.code === 'UNSUPPORTED_MODEL') return
    const why = error instanceof Error ? error.message : String(error)
    throw new EngineError('MODEL_UNREADABLE', `llama.cpp cannot run ${file}: ${why}`, { cause: error })
  }
}

/** 0 for what is no GGUF. */
async function versionOf(file: string): Promise<number> {
  const handle = await open(file, 'r')
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(8), 0, 8, 0)
    return bytesRead === 8 && buffer.toString('latin1', 0, 4) === 'GGUF' ? buffer.readUInt32LE(4) : 0
  } finally {
    await handle.close()
  }
}
