import type { FastifyInstance } from 'fastify'

/** S-56, S-57: the headers that name a request; the log has the same id. A client's own id is never taken over. */
export const requestIdHeaders = (id: string): Readonly<Record<string, string>> => ({
  'X-Request-Id': id,
  'opc-request-id': id,
})

/** Every answer names its request. */
export function addRequestIds(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(requestIdHeaders(request.id))
  })
}
