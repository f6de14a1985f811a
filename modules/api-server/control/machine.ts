import type { FastifyInstance } from 'fastify'
import type { ServerContext } from '../server-context.js'

/** The machine, and who holds how much of it. */
export function machineRoutes(server: FastifyInstance, { manager }: ServerContext): void {
  const tags = ['Machine']
  server.get(
    '/api/hardware',
    { schema: { tags, summary: 'Processor, memory, graphics cards' } },
    async () => manager().hardwareProfile,
  )
  server.get(
    '/api/resources',
    { schema: { tags, summary: 'Memory promised to modules and held by them, in bytes' } },
    async () => {
      const { ledger } = manager()
      return { ...manager().resources(), ledger }
    },
  )
  server.get('/api/health', { schema: { tags, summary: 'How each loaded module is' } }, async () => manager().health())
}
