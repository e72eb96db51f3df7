import type { FastifyInstance } from 'fastify'
import { introspectToken } from '../access/introspection.ts'
import { issueToken } from '../access/token-endpoint.ts'
import { servedAs } from '../export/profile.ts'
import type { HttpContext } from './context.ts'
import { allowOnly } from './method-not-allowed.ts'
import { oauthRoute } from './oauth.ts'

/** The OAuth endpoints of a tenant: tokens, their state, and the keys that verify them (protocol §13). */
export function tokenRoutes(app: FastifyInstance, context: HttpContext): void {
  oauthRoute(app, '/oauth2/:tenant/token', async (request, tenant) => {
    const profile = servedAs(await context.directory.tenant(tenant))
    return issueToken(request, { ...authenticationContext(context, tenant), wildcards: profile.wildcardScopes })
  })

  oauthRoute(app, '/oauth2/:tenant/introspect', (request, tenant) =>
    introspectToken(request, authenticationContext(context, tenant)),
  )

  app.get('/oauth2/:tenant/jwks', async (_request, reply) => {
    const { published } = await context.directory.signingKeys()
    return reply.type('application/json').send(JSON.stringify({ keys: published }))
  })
  allowOnly(app, '/oauth2/:tenant/jwks', ['GET'])
}

const authenticationContext = (context: HttpContext, tenant: string) => ({
  database: context.pool,
  directory: context.directory,
  keySets: context.keySets,
  secrets: context.secrets,
  limits: context.tokenLimits,
  publicUrl: context.publicUrl,
  tokenSeconds: context.tokenSeconds,
  tenant,
  now: new Date(),
})
