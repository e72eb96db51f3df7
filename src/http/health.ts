import type { FastifyInstance } from 'fastify'
import type { HttpContext } from './context.ts'

/** `/livez`: the process answers. `/readyz`: it takes requests, and the database answers too. Never throttled: who asks restarts servers. */
export function healthRoutes(app: FastifyInstance, context: HttpContext): void {
  const config = { countedBy: 'nobody' } as const
  // Anybody may ask, so that questions which come together cost the database one query.
  let asked: Promise<boolean> | undefined
  const databaseAnswers = () => {
    asked ??= context.pool
      .query('select')
      .then(
        () => true,
        () => false,
      )
      .finally(() => {
        asked = undefined
      })
    return asked
  }
  app.get('/livez', { config }, async () => ({ status: 'ok' }))
  app.get('/readyz', { config }, async (_request, reply) => {
    const answers = await databaseAnswers()
    if (answers && context.ready()) return { status: 'ok' }
    return reply.code(503).send({ status: answers ? 'stopping' : 'the database does not answer' })
  })
}
