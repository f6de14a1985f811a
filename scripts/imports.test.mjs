// Imports only go down (ARCHITECTURE.md). This test is the rule.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

/** What each part of the house may import of the others. */
const allowed = {
  'packages/kernel': [],
  'packages/files': [],
  'packages/contracts': ['@enigma/kernel'],
  'packages/tensor': [],
  'packages/nn': ['@enigma/tensor', '@enigma/tensor/formats', '@enigma/tensor/onnx'],
  'packages/engines': ['@enigma/contracts', '@enigma/kernel'],
  'packages/lm': ['@enigma/nn', '@enigma/tensor', '@enigma/tensor/formats'],
  'packages/enigma': [
    '@enigma/contracts',
    '@enigma/files',
    '@enigma/kernel',
    '@enigma/lm',
    '@enigma/nn',
    '@enigma/tensor',
    '@enigma/module-*',
  ],
  modules: [
    '@enigma/contracts',
    '@enigma/engines',
    '@enigma/files',
    '@enigma/kernel',
    '@enigma/lm',
    '@enigma/nn',
    '@enigma/tensor',
  ],
  'apps/cli': ['enigma'],
  'apps/console': [],
}

const folders = [
  ...Object.keys(allowed).filter((folder) => folder.includes('/')),
  ...readdirSync('modules').map((id) => join('modules', id)),
]

function sources(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules' || entry.name === 'dist') return []
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return sources(path)
    return /\.tsx?$/.test(entry.name) && !path.includes('tests/') && !entry.name.endsWith('.test.ts') ? [path] : []
  })
}

const ours = /(?:from|import)\s*\(?\s*'((?:@enigma\/[\w-]+|enigma)(?:\/[^']*)?)'/g
const code = (path) =>
  readFileSync(path, 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\/\/.*$/gm, '')
const matches = (name, pattern) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern)

it.each(folders)('%s imports only what lies below it', (folder) => {
  const rules = allowed[folder] ?? allowed.modules
  const wrong = sources(folder).flatMap((path) =>
    [...code(path).matchAll(ours)]
      .map(([, name]) => name)
      .filter((name) => !rules.some((pattern) => matches(name, pattern)))
      .map((name) => `${path} imports ${name}`),
  )
  expect(wrong).toEqual([])
})

it('nothing reaches into another part by a relative path', () => {
  const wrong = folders.flatMap((folder) =>
    sources(folder).filter((path) => /from '(\.\.\/)+(packages|modules|apps)\//.test(readFileSync(path, 'utf8'))),
  )
  expect(wrong).toEqual([])
})
