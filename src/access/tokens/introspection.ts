import { fhirBase, tokenIssuer } from '../../fhir/service-urls.ts'
import { bearerChallenge, bearerTokenOf } from '../bearer.ts'
import type { AccessDirectory } from '../directory.ts'
import { type VerifiedToken, verifyAccessToken } from './access-token.ts'
import { type AuthenticationContext, admitAddress, authenticateClient } from './client-authentication.ts'
import { type OAuthError, oauthError } from './oauth-error.ts'
import { type PostedRequest, type ReadParameter, readForm } from './posted-form.ts'

/** What introspection needs. */
export interface IntrospectionContext extends AuthenticationContext {
  readonly directory: AccessDirectory
}

/** The answer of RFC 7662 (B23). What is not active tells nothing else. */
export type Introspection =
  | { readonly active: false }
  | {
      readonly active: true
      readonly scope: string
      readonly client_id: string
      readonly sub: string
      readonly token_type: 'bearer'
      readonly iss: string
      readonly aud: string
      readonly iat: number
      readonly exp: number
    }

/**
 * Tells whether an access token of this tenant is active. Whoever asks must be a client of the tenant, and shows it as at the
 * token endpoint or by a bearer token (B23).
 */
export async function introspectToken(
  request: PostedRequest,
  context: IntrospectionContext,
): Promise<Introspection | OAuthError> {
  const refusal = admitAddress(request, context)
  if (refusal) return refusal
  const read = readForm(request)
  if ('error' in read) return read
  const asker = await authenticateAsker(request, read, context)
  if ('error' in asker) return asker
  const token = read('token')
  if (token === undefined) return oauthError('invalid_request', 'token is missing')
  const held = await activeToken(token, context)
  return held ? describe(held, context) : { active: false }
}

async function authenticateAsker(request: PostedRequest, read: ReadParameter, context: IntrospectionContext) {
  if (!/^bearer( |$)/i.test(request.authorization ?? '')) return authenticateClient(request, read, context)
  const token = bearerTokenOf(request.authorization ?? '')
  const held = token === undefined ? undefined : await activeToken(token, context)
  if (!held) {
    const text = 'the bearer token is not active'
    return oauthError('invalid_client', text, { challenge: bearerChallenge(context.publicUrl, 'invalid_token', text) })
  }
  // A resource server asks about every token it sees; it costs no more than any other request with a token.
  context.limits.succeeded(request.address)
  return held
}

/** The token, if it is valid, of this tenant, and its client may still act. */
async function activeToken(token: string, context: IntrospectionContext): Promise<VerifiedToken | undefined> {
  const held = await verifyAccessToken(token, { ...context, keys: await context.directory.signingKeys() })
  if (typeof held === 'string' || held.tenant !== context.tenant) return undefined
  const client = await context.directory.client(held.client)
  return client && !client.disabled && client.tenant === held.tenant ? held : undefined
}

function describe(held: VerifiedToken, { publicUrl, tenant }: IntrospectionContext): Introspection {
  return {
    active: true,
    scope: held.scopes.join(' '),
    client_id: held.client,
    sub: held.client,
    token_type: 'bearer',
    iss: tokenIssuer(publicUrl, tenant),
    aud: fhirBase(publicUrl, tenant),
    iat: held.issued,
    exp: held.expires,
  }
}
