import type { FastifyInstance } from 'fastify'

/** S-56, S-57: every answer names its request; the log has the same id. */
export function addRequestIds(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('X-Request-Id', request.id).header('opc-request-id', request.id)
  })
}
