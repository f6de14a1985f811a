import { execFile } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { saveTinyModel, temporaryFolder } from './tiny-model.test.fixture.js'

// Beside this file, so that `enigma` is found as its users find it.
const program = join(import.meta.dirname, 'readme.test.run.mjs')

test('the code of the README runs as it stands and prints an answer', async () => {
  await using home = await temporaryFolder()
  await saveTinyModel(join(home.path, 'models', 'storyteller'))
  const readme = await readFile(join(import.meta.dirname, '../README.md'), 'utf8')
  const code = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? ''
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext }
  await writeFile(program, ts.transpileModule(code, { compilerOptions }).outputText)
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [program], { env: { ...process.env, ENIGMA_HOME: home.path } })
    expect(stdout.trim()).not.toBe('')
  } finally {
    await rm(program, { force: true })
  }
})
