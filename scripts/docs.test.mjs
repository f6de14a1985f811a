// Docs are run: every code block of README.md, docs/ and the READMEs of packages and modules executes here, in the order of
// its page, in an empty folder with the example data beside it. `ts` blocks run as programs; of `sh` blocks the lines that
// begin with `npx enigma` (or a variable for it) run (installing and starting are what CI itself does). Other blocks are pictures.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import ts from 'typescript'
import { afterAll, describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '..')
// Inside the repository, so that packages are found as users find them.
const programs = mkdtempSync(join(root, '.docs-run-'))
afterAll(() => rmSync(programs, { recursive: true, force: true }))

const below = (group) => readdirSync(join(root, group)).map((name) => join(group, name, 'README.md'))
const guides = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'))
const pages = ['README.md', ...guides.map((name) => join('docs', name)), ...below('packages'), ...below('modules')]

function blocksOf(page) {
  let text
  try {
    text = readFileSync(join(root, page), 'utf8')
  } catch {
    return []
  }
  const found = text.matchAll(/^```(ts|js|sh)\n(.*?)^```/gms)
  return [...found].map(([, language, code], index) => ({ language, code, title: `${index + 1}: ${code.split('\n')[0]}` }))
}

const commands = (code) =>
  code
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => /^(ENIGMA_\w+=\S+ )?npx enigma/.test(line))
    .map((line) => line.replace(/npx enigma/, `"${process.execPath}" "${join(root, 'apps/cli/bin/enigma.js')}"`))

function run(command, args, cwd, options = {}) {
  const env = { ...process.env, ENIGMA_HOME: join(cwd, 'home') }
  const result = spawnSync(command, args, { cwd, env, encoding: 'utf8', timeout: 280_000, ...options })
  expect(result.status, `${result.stdout}\n${result.stderr}`).toBe(0)
}

// Several pages train the same first model: it is trained on the first of them, and the others find it.
const trained = mkdtempSync(join(tmpdir(), 'enigma-docs-trained-'))
afterAll(() => rmSync(trained, { recursive: true, force: true }))
const models = new Map()

function runCommand(command, cwd) {
  const [, out] = /^(?!.* --resume).* train .*--out (\w+)$/.exec(command) ?? []
  const model = models.get(command)
  if (model) return cpSync(model, join(cwd, out), { recursive: true })
  run('sh', ['-c', command], cwd)
  if (!out) return
  models.set(command, join(trained, String(models.size)))
  cpSync(join(cwd, out), models.get(command), { recursive: true })
}

describe.each(pages.map((page) => [page, blocksOf(page)]).filter(([, blocks]) => blocks.length > 0))('%s', (page, blocks) => {
  const cwd = mkdtempSync(join(tmpdir(), 'enigma-docs-'))
  mkdirSync(join(cwd, 'home'))
  symlinkSync(join(root, 'examples'), join(cwd, 'examples'))
  symlinkSync(join(root, 'docs'), join(cwd, 'docs'))
  afterAll(() => rmSync(cwd, { recursive: true, force: true }))

  it.each(blocks)(
    '$title',
    ({ language, code }) => {
      if (language === 'sh') {
        for (const command of commands(code)) runCommand(command, cwd)
        return
      }
      const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext }
      const program = join(programs, `${page.replaceAll(/\W/g, '-')}-${blocks.findIndex((block) => block.code === code)}.mjs`)
      writeFileSync(program, ts.transpileModule(code, { compilerOptions }).outputText)
      run(process.execPath, [program], cwd)
    },
    300_000,
  )
})
