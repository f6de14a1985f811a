import { commonFiles, pascalCase } from './common-files.js'
import type { ModuleFiles, NewModule } from './example.js'
import { types } from './typescript-module.js'

// A module in JavaScript: it runs as it lies there; editors check it by its JSDoc types.

export function javascriptModule(wish: NewModule): ModuleFiles {
  const { part, javascript, unitTest } = wish.example
  return {
    ...commonFiles(wish, { entry: './index.js', command: './cli/status.js' }, [
      ['index.js', 'its code: load, start, stop, unload'],
      [`${part}.js`, 'what it does, without the module system'],
      ['types.d.ts', 'its config and its interface, for editors and for TypeScript'],
      ['cli/status.js', 'the command `status`'],
      ['tests/', '`unit`: the parts; `integration`: the whole, by a real manager'],
    ]),
    'index.js': index(wish),
    'types.d.ts': types(wish),
    [`${part}.js`]: javascript,
    'cli/status.js': status(wish),
    [`tests/unit/${part}.test.js`]: `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ${pascalCase(part)} } from '../../${part}.js'

${unitTest}`,
  }
}

function index({ example: { part, body } }: NewModule): string {
  return `import { ${pascalCase(part)} } from './${part}.js'

/** @type {import('enigma').ModuleDefinition<import('./types.js').Config, import('./types.js').Api>} */
export default {
${body}
}
`
}

function status({ id }: NewModule): string {
  return `/** @type {import('enigma').ModuleCommand} */
export const statusCommand = {
  name: 'status',
  description: 'Show how it is doing',
  async execute({ getInterface }) {
    const api = /** @type {import('../types.js').Api} */ (await getInterface('${id}'))
    return api.status()
  },
}
`
}
