import type { ModuleConfig, ModuleManager, ModuleView } from '@enigma/kernel'
import type { FastifyInstance } from 'fastify'
import { messageOf } from '../http/message-of.js'
import type { ServerContext } from '../server-context.js'

interface Change {
  readonly config?: ModuleConfig
  readonly cascade?: boolean
  readonly to?: string
}

const change = {
  type: 'object',
  properties: {
    config: { type: 'object', description: 'for load, swap and configure' },
    cascade: { type: 'boolean', description: 'for unload, stop and disable: take along what depends on it' },
    to: { type: 'string', description: 'for swap: the module that takes over' },
  },
} as const

type Action = (manager: ModuleManager, id: string, change: Change) => Promise<unknown>

const cascadeOf = ({ cascade }: Change) => (cascade === undefined ? {} : { cascade })

/** What can be done to a module, `POST /api/modules/{id}/{action}`. */
const actions: Readonly<Record<string, { readonly summary: string; readonly run: Action }>> = {
  load: { summary: 'Load a module, and what it needs', run: (manager, id, { config }) => manager.load(id, config) },
  unload: { summary: 'Unload a module', run: (manager, id, given) => manager.unload(id, cascadeOf(given)) },
  start: { summary: 'Start a loaded module', run: (manager, id) => manager.start(id) },
  stop: { summary: 'Stop a module, and leave it loaded', run: (manager, id, given) => manager.stop(id, cascadeOf(given)) },
  enable: { summary: 'Let a disabled module be loaded again', run: (manager, id) => manager.enable(id) },
  disable: { summary: 'Unload a module and keep it out', run: (manager, id, given) => manager.disable(id, cascadeOf(given)) },
  reset: { summary: 'Take a module out of quarantine', run: (manager, id) => manager.reset(id) },
  reload: { summary: 'Take over changed code of a module', run: (manager, id) => manager.reload(id) },
  configure: {
    summary: 'Give a loaded module another config',
    run: (manager, id, { config }) => manager.configure(id, config ?? {}),
  },
  swap: {
    summary: 'Put another provider in its place',
    run: (manager, id, { to, config }) => manager.swap(id, to ?? '', config),
  },
}

/** What can be asked of a module, `GET /api/modules/{id}/{question}`. */
const questions: Readonly<
  Record<string, { readonly summary: string; readonly ask: (manager: ModuleManager, id: string) => unknown }>
> = {
  'can-load': { summary: 'Whether it can be loaded now, and why not', ask: (manager, id) => manager.canLoad(id) },
  why: { summary: 'Why it is loaded', ask: (manager, id) => manager.why(id) },
  'why-not': { summary: 'Why it is not loaded', ask: (manager, id) => manager.whyNot(id) },
}

type Named = { Params: { id: string } }

export function moduleRoutes(server: FastifyInstance, { manager }: ServerContext): void {
  const tags = ['Modules']

  server.get('/api/modules', { schema: { tags, summary: 'All modules, a line each' } }, async () => ({
    modules: manager().listModules(),
  }))
  server.get('/api/graph', { schema: { tags, summary: 'Who needs whom' } }, async () => manager().graph())
  server.get('/api/timeline', { schema: { tags, summary: 'How long loading took, module by module' } }, async () =>
    manager().timeline(),
  )

  server.get<Named>('/api/modules/:id', { schema: { tags, summary: 'Everything about a module' } }, async ({ params }) =>
    viewOf(manager().getModule(params.id)),
  )
  for (const [name, { summary, ask }] of Object.entries(questions))
    server.get<Named>(`/api/modules/:id/${name}`, { schema: { tags, summary } }, async ({ params }) => ask(manager(), params.id))

  for (const [name, { summary, run }] of Object.entries(actions))
    server.post<Named & { Body: Change | null }>(
      `/api/modules/:id/${name}`,
      { schema: { body: { anyOf: [change, { type: 'null' }] }, tags, summary } },
      async ({ params: { id }, body }) => {
        const done = await run(manager(), id, body ?? {})
        return { ...(typeof done === 'object' ? plain(done) : {}), module: viewOf(manager().getModule(id)) }
      },
    )
}

const viewOf = ({ error, ...view }: ModuleView) => ({ ...view, error: error === undefined ? null : messageOf(error) })

/** Reports carry errors, which JSON would show as {}. */
function plain(report: object | null): object {
  return Object.fromEntries(
    Object.entries(report ?? {}).map(([key, value]) => [key, value instanceof Error ? messageOf(value) : value]),
  )
}
