import type { AccessDirectory } from '../directory.ts'
import { decideScopes, type RefusedScope } from '../granted-scope.ts'
import { scopeCharsMax } from '../registry/registered-scope.ts'
import { scopeList } from '../scope.ts'
import { signAccessToken } from './access-token.ts'
import { type AuthenticationContext, admitAddress, authenticateClient } from './client-authentication.ts'
import { type OAuthError, oauthError } from './oauth-error.ts'
import { type PostedRequest, type ReadParameter, readForm } from './posted-form.ts'

/** The body of a token answer (B15). */
export interface TokenResponse {
  readonly access_token: string
  readonly token_type: 'bearer'
  readonly expires_in: number
  /** What was granted, which may be less than what was asked for. */
  readonly scope: string
}

/** A token and whom it was given to: the client that has proven who it is. */
export interface IssuedToken {
  readonly client: string
  readonly response: TokenResponse
}

/** What the endpoint needs. `wildcards` is the profile's D26, `tokenSeconds` the life of a token. */
export interface TokenContext extends AuthenticationContext {
  readonly directory: AccessDirectory
  readonly wildcards: boolean
  readonly tokenSeconds: number
}

/** Answers a token request of SMART Backend Services (B7–B18). Send the response or the error with `Cache-Control: no-store`. */
export async function issueToken(request: PostedRequest, context: TokenContext): Promise<IssuedToken | OAuthError> {
  const refusal = admitAddress(request, context)
  if (refusal) return refusal
  const read = readForm(request)
  if ('error' in read) return read
  const asked = readScope(read)
  if (typeof asked !== 'string') return asked
  const client = await authenticateClient(request, read, context)
  if ('error' in client) return client

  const { granted, refused } = decideScopes(scopeList(asked), client.scopes, context)
  if (granted.length === 0) return oauthError('invalid_scope', noScopeText(refused))
  const scope = granted.join(' ')
  if (scope.length > scopeCharsMax) return oauthError('invalid_scope', 'too many scopes for one token, ask for fewer')
  const holder = { tenant: client.tenant, client: client.id, scopes: granted }
  const token = await signAccessToken(holder, { ...context, keys: await context.directory.signingKeys() })
  const response = { access_token: token, token_type: 'bearer', expires_in: context.tokenSeconds, scope } as const
  return { client: client.id, response }
}

function readScope(read: ReadParameter): string | OAuthError {
  const grantType = read('grant_type')
  if (grantType === undefined) return oauthError('invalid_request', 'grant_type is missing')
  if (grantType !== 'client_credentials') {
    return oauthError('unsupported_grant_type', 'grant_type must be client_credentials')
  }
  const scope = read('scope')
  if (scope === undefined) return oauthError('invalid_scope', 'scope is missing')
  if (scope.length > scopeCharsMax) return oauthError('invalid_scope', 'scope is too long')
  return scope
}

const reasonsShownMax = 3

const noScopeText = (refused: readonly RefusedScope[]): string =>
  refused.length === 0
    ? 'scope is empty'
    : refused
        .slice(0, reasonsShownMax)
        .map(({ scope, reason }) => `${scope}: ${reason}`)
        .join('; ')
