import { commonFiles, host, pascalCase } from './common-files.js'
import type { ModuleFiles, NewModule } from './example.js'

// A module in TypeScript: its entry is the source, which the module system bundles as it loads it.

export function typescriptModule(wish: NewModule): ModuleFiles {
  const { part, typescript } = wish.example
  return {
    ...commonFiles(wish, { entry: './index.ts', command: './cli/status.ts' }, [
      ['index.ts', 'its code: load, start, stop, unload; nothing is built'],
      [`${part}.ts`, 'what it does, without the module system'],
      ['types.ts', 'its config and its interface'],
      ['cli/status.ts', 'the command `status`'],
      ['tests/', 'the whole, by a real manager'],
    ]),
    'tsconfig.json': tsconfig,
    'index.ts': index(wish),
    'types.ts': types(wish),
    [`${part}.ts`]: typescript,
    'cli/status.ts': status(wish),
  }
}

const tsconfig = `{
  "compilerOptions": {
    "target": "ES2023",
    "module": "NodeNext",
    "strict": true,
    "noEmit": true,
    "skipLibCheck": true,
    "verbatimModuleSyntax": true
  },
  "include": ["**/*.ts"]
}
`

/** The config and the interface. */
export function types({ id, example: { config, members } }: NewModule): string {
  return `/** The config of module.yaml, defaults filled in. */
export interface Config {
  ${config}
}

/** What getInterface('${id}') answers. */
export interface Api {
  ${members}
  status(): string
}
`
}

function index({ example: { part, body } }: NewModule): string {
  return `import type { ModuleDefinition } from '${host}'
import { ${pascalCase(part)} } from './${part}.js'
import type { Api, Config } from './types.js'

export default {
${body}
} satisfies ModuleDefinition<Config, Api>
`
}

function status({ id }: NewModule): string {
  return `import type { ModuleCommand } from '${host}'
import type { Api } from '../types.js'

export const statusCommand: ModuleCommand = {
  name: 'status',
  description: 'Show how it is doing',
  async execute({ getInterface }) {
    const api = (await getInterface('${id}')) as Api
    return api.status()
  },
}
`
}
