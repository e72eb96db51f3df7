import type { FastifyInstance } from 'fastify'
import { exportableTypes } from '../fhir/resource-types.ts'
import { issuerKeys, tokenEndpoint, tokenIssuer } from '../fhir/service-urls.ts'
import type { HttpContext } from './context.ts'
import { allowOnly } from './method-not-allowed.ts'

/** SMART discovery for backend clients, open to everybody (B5, B6). */
export function smartConfigurationRoute(app: FastifyInstance, context: HttpContext): void {
  const path = '/r4/:tenant/.well-known/smart-configuration'
  app.get(path, async (request, reply) => {
    const { tenant } = request.params as { tenant: string }
    const document = {
      issuer: tokenIssuer(context.publicUrl, tenant),
      jwks_uri: issuerKeys(context.publicUrl, tenant),
      token_endpoint: tokenEndpoint(context.publicUrl, tenant),
      grant_types_supported: ['client_credentials'],
      token_endpoint_auth_methods_supported: ['private_key_jwt', 'client_secret_basic'],
      token_endpoint_auth_signing_alg_values_supported: ['RS384', 'ES384'],
      scopes_supported: ['system/*.read', 'system/*.rs', ...exportableTypes.map((type) => `system/${type}.read`)],
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
