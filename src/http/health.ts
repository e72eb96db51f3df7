import type { FastifyInstance } from 'fastify'
import type { HttpContext } from './context.ts'
import { described } from './description.ts'

const state = { 'application/json': { schema: { type: 'object', properties: { status: { type: 'string' } } } } }

const live = described({
  tag: 'Operation',
  summary: 'Does the process answer?',
  answers: { 200: { says: 'It does.', content: state } },
})

const ready = described({
  tag: 'Operation',
  summary: 'Does the server take requests?',
  answers: {
    200: {
      says: 'It does. `disk` is `short` where too little is free: kick-offs are refused, all else is answered. `files` says why the S3 store could not be used when it was last asked: exports and downloads wait.',
      content: state,
    },
    503: { says: 'The server is stopping, or the database does not answer.', content: state },
  },
})

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
  // What cannot be asked is no reason to take the server for stopped.
  const lacksRoom = () => context.files.lacksRoom().catch(() => false)
  app.get('/livez', { config, schema: live }, async () => ({ status: 'ok' }))
  app.get('/readyz', { config, schema: ready }, async (_request, reply) => {
    const answers = await databaseAnswers()
    if (answers && context.ready()) {
      const files = context.files.trouble?.()
      return { status: 'ok', ...((await lacksRoom()) ? { disk: 'short' } : {}), ...(files ? { files } : {}) }
    }
    return reply.code(503).send({ status: answers ? 'stopping' : 'the database does not answer' })
  })
}
