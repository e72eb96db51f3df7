import type { FastifyInstance } from 'fastify'
import type { HttpContext } from './context.ts'

/** `/livez`: the process answers. `/readyz`: it takes requests, and the database answers too. */
export function healthRoutes(app: FastifyInstance, context: HttpContext): void {
  app.get('/livez', async () => ({ status: 'ok' }))
  app.get('/readyz', async (_request, reply) => {
    const answers = await context.pool.query('select').then(
      () => true,
      () => false,
    )
    if (answers && context.ready()) return { status: 'ok' }
    return reply.code(503).send({ status: answers ? 'stopping' : 'the database does not answer' })
  })
}
