import type { FastifyInstance } from 'fastify'
import { issueToken, tokenRequestCharsMax } from '../access/token-endpoint.ts'
import { profiles } from '../export/profile.ts'
import type { HttpContext } from './context.ts'
import { allowOnly } from './method-not-allowed.ts'

/** The SMART Backend Services token endpoint of a tenant, and the keys that verify its tokens (protocol §13). */
export function tokenRoutes(app: FastifyInstance, context: HttpContext): void {
  app.post('/oauth2/:tenant/token', { bodyLimit: tokenRequestCharsMax }, async (request, reply) => {
    const { tenant } = request.params as { tenant: string }
    const profile = profiles[(await context.directory.tenant(tenant))?.profile ?? 'millennium']
    const body = request.body instanceof Buffer ? request.body.toString('utf8') : ''
    const answer = await issueToken(
      { contentType: request.headers['content-type'], body },
      {
        database: context.pool,
        directory: context.directory,
        keySets: context.keySets,
        publicUrl: context.publicUrl,
        tenant,
        wildcards: profile.wildcardScopes,
        now: new Date(),
      },
    )
    reply.header('Pragma', 'no-cache').type('application/json')
    if (!('error' in answer)) return reply.send(JSON.stringify(answer))
    const { status, ...error } = answer
    request.log.info({ tenant, error: error.error, reason: error.error_description }, 'token refused')
    return reply.code(status).send(JSON.stringify(error))
  })
  allowOnly(app, '/oauth2/:tenant/token', ['POST'])

  app.get('/oauth2/:tenant/jwks', async (_request, reply) => {
    const { published } = await context.directory.signingKeys()
    return reply.type('application/json').send(JSON.stringify({ keys: published }))
  })
  allowOnly(app, '/oauth2/:tenant/jwks', ['GET'])
}
