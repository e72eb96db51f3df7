import type { FastifyInstance } from 'fastify'
import type { HttpContext } from './context.ts'
import { described } from './description.ts'

const state = { 'application/json': { schema: { type: 'object', properties: { status: { type: 'string' } } } } }

const live = described({
  tag: 'Operation',
  summary: 'Does the process answer?',
  answers: { 200: { says: 'It does.', content: state } },
})

const reported = {
  'application/json': {
    schema: {
      type: 'object',
      properties: Object.fromEntries(
        ['status', 'disk', 'files', 'workers', 'queue'].map((name) => [name, { type: 'string' }]),
      ),
    },
  },
}

const ready = described({
  tag: 'Operation',
  summary: 'Does the server take requests?',
  details:
    'What keeps it from exporting is told beside `status`: `disk` is `short` where too little is free, and kick-offs are refused; `files` are `not writable`, or why the S3 store could not be used when it was last asked; there are `none` of the `workers`; the `queue` `stands still`: work waits, and nobody takes it. All else is answered then.',
  answers: {
    200: { says: 'It does.', content: reported },
    503: {
      says: 'The server is stopping, the database does not answer, or a newer Millrace has migrated it.',
      content: reported,
    },
  },
})

/** `/livez`: the process answers. `/readyz`: it takes requests, and the database answers too. Never throttled: who asks restarts servers. */
export function healthRoutes(app: FastifyInstance, { readiness }: Pick<HttpContext, 'readiness'>): void {
  const config = { countedBy: 'nobody' } as const
  app.get('/livez', { config, schema: live }, async () => ({ status: 'ok' }))
  app.get('/readyz', { config, schema: ready }, async (_request, reply) => {
    const { ready, ...report } = await readiness.look()
    return reply.code(ready ? 200 : 503).send(report)
  })
}
