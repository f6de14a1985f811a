import type { FastifyInstance } from 'fastify'
import { ApiError } from '../http/api-error.js'
import type { ServerContext } from '../server-context.js'
import { engineFor } from './generations.js'

/** The model that answers now, as OpenAI lists models; and what nothing here provides yet. */
export function models(server: FastifyInstance, context: ServerContext): void {
  const { started } = context
  const entry = (id: string) => ({ id, object: 'model', created: started, owned_by: 'enigma' })

  server.get('/v1/models', { schema: { tags: ['OpenAI'], summary: 'List the models that answer' } }, async () => {
    const engine = context.generation()
    return { object: 'list', data: engine ? [entry(engine.model)] : [] }
  })

  server.get<{ Params: { '*': string } }>(
    '/v1/models/*',
    { schema: { tags: ['OpenAI'], summary: 'One model' } },
    async ({ params }) => entry(engineFor(context, params['*']).model),
  )

  server.post('/v1/embeddings', { schema: { tags: ['OpenAI'], summary: 'Embeddings: nothing provides them yet' } }, async () => {
    throw new ApiError(501, 'no_provider', "No module here provides the capability 'embeddings'. Load one that does.")
  })
}
