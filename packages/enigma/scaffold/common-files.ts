import type { Code, ModuleFiles, NewModule, Told } from './example.js'

// What new modules of all languages have.

/** The package that people import; put in from here, as the imports of templates are none of this package. */
export const host = 'enigma'

export function commonFiles(wish: NewModule<Told>, code: Code, layout: readonly (readonly [string, string])[]): ModuleFiles {
  return {
    'module.yaml': manifestOf(wish, code),
    'package.json': packageOf(wish),
    [`tests/integration/${wish.id}.test.js`]: integrationTestOf(wish),
    'README.md': readmeOf(wish, layout),
  }
}

/** `my-module` → `MyModule`. */
export function pascalCase(id: string): string {
  return id
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')
}

function manifestOf({ id, kind, example }: NewModule<Told>, { entry, runtime, command }: Code): string {
  return `id: ${JSON.stringify(id)}
name: ${JSON.stringify(pascalCase(id))}
version: 0.1.0
description: ${example.description}
kind: ${kind}
category: extension
api: "1.0"
${runtime === undefined ? '' : `runtime: ${runtime}\n`}entry: ${entry}
provides:
  - { capability: ${JSON.stringify(id)}, version: "1.0" }
config:
  type: object
  properties:
    ${example.schema}
contributes:
  commands:
    - name: status
      description: Show how it is doing
      entry: ${command}
`
}

function packageOf({ id, example }: NewModule<Told>): string {
  const value = {
    name: `enigma-module-${id}`,
    version: '0.1.0',
    description: example.description,
    type: 'module',
    keywords: ['enigma-module'],
    engines: { node: '>=20.19' },
    exports: { './module.yaml': './module.yaml' },
    scripts: { test: 'node --test' },
    peerDependencies: { [host]: '*' },
  }
  return `${JSON.stringify(value, null, 2)}\n`
}

function integrationTestOf({ id, example: { given, use, status } }: NewModule<Told>): string {
  return `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ModuleManager } from '${host}'

const folder = fileURLToPath(new URL('../..', import.meta.url))

test('${id} loads, works and leaves nothing behind', async (t) => {
  const manager = await ModuleManager.open({ modules: [folder] })
  t.after(() => manager.shutdown())
  await manager.load('${id}', ${given})
  const api = manager.getInterface('${id}')

  ${use}
  assert.match(await api.status(), /${status}/)
  assert.equal(await manager.runCommand('${id}', 'status'), await api.status())
  assert.equal((await manager.health('${id}'))['${id}'].status, 'healthy')

  await manager.unload('${id}')
  assert.deepEqual(manager.listLoaded(), [])
})

test('${id} refuses a config it does not know', async (t) => {
  const manager = await ModuleManager.open({ modules: [folder] })
  t.after(() => manager.shutdown())
  await assert.rejects(manager.load('${id}', { nonsense: true }), { code: 'BAD_CONFIG' })
})
`
}

function readmeOf({ id, example }: NewModule<Told>, layout: readonly (readonly [string, string])[]): string {
  return `# ${id}

${example.description}.

\`\`\`sh
npm test                        # node --test; nothing to build
enigma modules check .          # is the manifest right?
export ENIGMA_MODULES="$PWD"    # where enigma finds it
enigma modules load ${id}
enigma ${id}:status
\`\`\`

| File | What it is |
|---|---|
| \`module.yaml\` | what the module is, needs, provides and can be told; read before any of its code runs |
${layout.map(([file, text]) => `| \`${file}\` | ${text} |`).join('\n')}
`
}
