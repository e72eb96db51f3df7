import type { FastifyInstance } from 'fastify'
import { clientAlgorithms } from '../../access/registry/client-key.ts'
import { introspectionEndpoint, issuerKeys, tokenEndpoint, tokenIssuer } from '../../fhir/service-urls.ts'
import { servedAs } from '../../protocol/profile.ts'
import type { HttpContext } from '../context.ts'
import { described } from '../description.ts'
import { allowOnly } from '../method-not-allowed.ts'

const discovery = described({
  tag: 'Discovery',
  summary: 'SMART discovery: where tokens are given, and which scopes there are',
  answers: { 200: { says: 'The document.', content: { 'application/json': { schema: { type: 'object' } } } } },
})

const authMethods = ['private_key_jwt', 'client_secret_basic']

/** SMART discovery for backend clients, open to everybody (B5, B6). */
export function smartConfigurationRoute(app: FastifyInstance, context: HttpContext): void {
  const path = '/r4/:tenant/.well-known/smart-configuration'
  app.get(path, { schema: discovery }, async (request, reply) => {
    const { tenant } = request.params as { tenant: string }
    const profile = servedAs(await context.directory.tenant(tenant))
    const wildcards = profile.wildcardScopes ? ['system/*.read', 'system/*.rs'] : []
    const document = {
      issuer: tokenIssuer(context.publicUrl, tenant),
      jwks_uri: issuerKeys(context.publicUrl, tenant),
      token_endpoint: tokenEndpoint(context.publicUrl, tenant),
      grant_types_supported: ['client_credentials'],
      token_endpoint_auth_methods_supported: authMethods,
      token_endpoint_auth_signing_alg_values_supported: clientAlgorithms,
      introspection_endpoint: introspectionEndpoint(context.publicUrl, tenant),
      introspection_endpoint_auth_methods_supported: authMethods,
      introspection_endpoint_auth_signing_alg_values_supported: clientAlgorithms,
      scopes_supported: [...wildcards, ...profile.exportedTypes.map((type) => `system/${type}.read`)],
      code_challenge_methods_supported: ['S256'],
      capabilities: [
        'client-confidential-asymmetric',
        'client-confidential-symmetric',
        'permission-v1',
        'permission-v2',
      ],
    }
    return reply.type('application/json').send(JSON.stringify(document))
  })
  allowOnly(app, path, ['GET'])
}
