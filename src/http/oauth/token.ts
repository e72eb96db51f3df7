import type { FastifyInstance, FastifyRequest } from 'fastify'
import { claimedClient } from '../../access/tokens/claimed-client.ts'
import { introspectToken } from '../../access/tokens/introspection.ts'
import type { OAuthError } from '../../access/tokens/oauth-error.ts'
import type { PostedRequest } from '../../access/tokens/posted-form.ts'
import { type IssuedToken, issueToken } from '../../access/tokens/token-endpoint.ts'
import { servedAs } from '../../protocol/profile.ts'
import { addressed, auditOf, keepRefusal } from '../audit/audited-refusal.ts'
import type { HttpContext } from '../context.ts'
import { described, schemaNamed } from '../description.ts'
import { allowOnly } from '../method-not-allowed.ts'
import { oauthRoute } from './oauth-route.ts'

const form = 'application/x-www-form-urlencoded'
const oauthError = { 'application/json': { schema: schemaNamed('OAuthError') } }
const clientAuthentication = {
  Authorization: { type: 'string', description: '`Basic`, for clients that have a secret in place of a key.' },
}
const assertion = {
  client_assertion_type: { const: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' },
  client_assertion: { type: 'string', description: 'A JWT whose `aud` is the URL of this endpoint.' },
}

/** The refusals of the endpoints that take a form. */
const refusals = {
  400: { says: 'The form is not right.', content: oauthError },
  401: { says: 'The client did not prove who it is.', content: oauthError },
  413: { says: 'The form is too large.', content: oauthError },
  429: { says: 'Asked too often. Ask again after `Retry-After` seconds.', content: oauthError },
}

const tokenRequest = described({
  tag: 'Access',
  summary: 'Get an access token',
  details:
    'SMART Backend Services: the client proves who it is with a JWT signed by a registered key, or with its secret.',
  headers: clientAuthentication,
  body: {
    [form]: {
      type: 'object',
      required: ['grant_type', 'scope'],
      properties: {
        grant_type: { const: 'client_credentials' },
        ...assertion,
        scope: { type: 'string', examples: ['system/Patient.read system/Condition.read'] },
      },
    },
  },
  answers: {
    ...refusals,
    200: {
      says: 'The token. `scope` is what was granted.',
      content: { 'application/json': { schema: schemaNamed('Token') } },
    },
    400: { says: 'The form is not right, or no scope of it can be granted.', content: oauthError },
  },
})

const introspection = described({
  tag: 'Access',
  summary: 'Ask whether an access token is good, and for what',
  details: 'RFC 7662. A client is told of tokens of its own tenant only; of all others, that they are not active.',
  headers: clientAuthentication,
  body: { [form]: { type: 'object', required: ['token'], properties: { token: { type: 'string' }, ...assertion } } },
  answers: {
    ...refusals,
    200: {
      says: '`active`, and what the token holds if it is.',
      content: {
        'application/json': {
          schema: { type: 'object', required: ['active'], properties: { active: { type: 'boolean' } } },
        },
      },
    },
  },
})

const keySet = described({
  tag: 'Access',
  summary: 'The keys that verify access tokens',
  answers: { 200: { says: 'A JWK set.', content: { 'application/json': { schema: { type: 'object' } } } } },
})

/** The OAuth endpoints of a tenant: tokens, their state, and the keys that verify them (protocol §13). */
export function tokenRoutes(app: FastifyInstance, context: HttpContext): void {
  oauthRoute(app, '/oauth2/:tenant/token', tokenRequest, async (posted, tenant, request) => {
    const profile = servedAs(await context.directory.tenant(tenant))
    const asked = { ...authenticationContext(context, tenant), wildcards: profile.wildcardScopes }
    const answer = await issueToken(posted, asked)
    if ('error' in answer) {
      await auditRefusal(request, context, 'token', posted, answer)
      return answer
    }
    await auditToken(request, context, tenant, answer)
    return answer.response
  })

  oauthRoute(app, '/oauth2/:tenant/introspect', introspection, async (posted, tenant, request) => {
    const answer = await introspectToken(posted, authenticationContext(context, tenant))
    if ('error' in answer) await auditRefusal(request, context, 'access', posted, answer)
    return answer
  })

  app.get('/oauth2/:tenant/jwks', { schema: keySet }, async (_request, reply) => {
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

/** Records a token before it is given. The queries of granular scopes may hold codes and identifiers, and are not kept. */
async function auditToken(
  request: FastifyRequest,
  context: HttpContext,
  tenant: string,
  { client, response }: IssuedToken,
): Promise<void> {
  const scope = [...new Set(response.scope.split(' ').map((text) => text.replace(/\?.*/, '')))].join(' ')
  const detail = { scope, seconds: response.expires_in }
  const agent = { kind: 'client' as const, id: client }
  await context.audit.record(auditOf(request, { tenant, kind: 'token', outcome: 'success', agent, detail }))
}

/** Records a refusal, whose description may quote the request and is not kept. */
async function auditRefusal(
  request: FastifyRequest,
  context: HttpContext,
  kind: 'token' | 'access',
  posted: PostedRequest,
  { error, status }: OAuthError,
): Promise<void> {
  const client = claimedClient(posted)
  const agent = { kind: 'stranger' as const, ...(client === undefined ? {} : { id: client }) }
  const detail = { method: request.method, route: request.routeOptions.url ?? '', status }
  const event = {
    kind,
    outcome: 'refused' as const,
    agent,
    reason: error,
    detail,
    ...(await addressed(request, context)),
  }
  keepRefusal(request, context, event)
}
