import { tokenEndpoint } from '../fhir/service-urls.ts'
import { signAccessToken, tokenSecondsMax } from './access-token.ts'
import { assertionCharsMax, authenticateClient } from './assertion.ts'
import type { AccessDirectory } from './directory.ts'
import { decideScopes, type RefusedScope } from './granted-scope.ts'
import type { KeySets } from './key-sets.ts'
import type { Queryable } from './queryable.ts'
import { scopeCharsMax } from './registered-scope.ts'
import { scopeList } from './scope.ts'

/** The body of a token answer (B15). */
export interface TokenResponse {
  readonly access_token: string
  readonly token_type: 'bearer'
  readonly expires_in: number
  /** What was granted, which may be less than what was asked for. */
  readonly scope: string
}

/** An OAuth refusal (RFC 6749 §5.2): `status` is the HTTP status, the rest the JSON body. */
export interface OAuthError {
  readonly status: 400 | 401
  readonly error: 'invalid_request' | 'invalid_client' | 'unsupported_grant_type' | 'invalid_scope'
  readonly error_description: string
}

/** A token request as it came: the raw form text. */
export interface TokenRequest {
  readonly contentType: string | undefined
  readonly body: string
}

/** What the endpoint needs. `tenant` is the path segment, known or not; `wildcards` is the profile's D26. */
export interface TokenContext {
  readonly database: Queryable
  readonly directory: AccessDirectory
  readonly keySets: KeySets
  readonly publicUrl: string
  readonly tenant: string
  readonly wildcards: boolean
  readonly now: Date
}

/** Characters of the body of a token request. */
export const tokenRequestCharsMax = 32_768
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** Answers a token request of SMART Backend Services (B7–B18). Send either answer with `Cache-Control: no-store`. */
export async function issueToken(request: TokenRequest, context: TokenContext): Promise<TokenResponse | OAuthError> {
  const form = readForm(request)
  if ('error' in form) return form
  const client = await authenticateClient(form.assertion, {
    ...context,
    audience: tokenEndpoint(context.publicUrl, context.tenant),
  })
  if (typeof client === 'string') return refuse('invalid_client', client)
  if (form.clientId !== undefined && form.clientId !== client.id) {
    return refuse('invalid_client', 'client_id is not the iss of the assertion')
  }
  const { granted, refused } = decideScopes(scopeList(form.scope), client.scopes, context)
  if (granted.length === 0) return refuse('invalid_scope', noScopeText(refused))
  const scope = granted.join(' ')
  if (scope.length > scopeCharsMax) return refuse('invalid_scope', 'too many scopes for one token, ask for fewer')
  const holder = { tenant: client.tenant, client: client.id, scopes: granted }
  const token = await signAccessToken(holder, { ...context, keys: await context.directory.signingKeys() })
  return { access_token: token, token_type: 'bearer', expires_in: tokenSecondsMax, scope }
}

interface Form {
  readonly scope: string
  readonly assertion: string
  readonly clientId: string | undefined
}

function readForm({ contentType, body }: TokenRequest): Form | OAuthError {
  if (contentType?.split(';')[0]?.trim().toLowerCase() !== 'application/x-www-form-urlencoded') {
    return refuse('invalid_request', 'Content-Type must be application/x-www-form-urlencoded')
  }
  if (body.length > tokenRequestCharsMax) return refuse('invalid_request', 'the request is too long')
  const form = new URLSearchParams(body)
  const repeated = [...form.keys()].find((name) => form.getAll(name).length > 1)
  if (repeated !== undefined) return refuse('invalid_request', `the parameter ${repeated} is repeated`)
  // RFC 6749 §3.2: a parameter without a value counts as absent.
  const read = (name: string) => form.get(name) || undefined

  const grantType = read('grant_type')
  if (grantType === undefined) return refuse('invalid_request', 'grant_type is missing')
  if (grantType !== 'client_credentials') {
    return refuse('unsupported_grant_type', 'grant_type must be client_credentials')
  }
  if (read('client_assertion_type') !== assertionType) {
    return refuse('invalid_request', `client_assertion_type must be ${assertionType}`)
  }
  const assertion = read('client_assertion')
  if (assertion === undefined) return refuse('invalid_request', 'client_assertion is missing')
  if (assertion.length > assertionCharsMax) return refuse('invalid_request', 'client_assertion is too long')
  const scope = read('scope')
  if (scope === undefined) return refuse('invalid_scope', 'scope is missing')
  if (scope.length > scopeCharsMax) return refuse('invalid_scope', 'scope is too long')
  return { scope, assertion, clientId: read('client_id') }
}

const reasonsShownMax = 3

const noScopeText = (refused: readonly RefusedScope[]): string =>
  refused.length === 0
    ? 'scope is empty'
    : refused
        .slice(0, reasonsShownMax)
        .map(({ scope, reason }) => `${scope}: ${reason}`)
        .join('; ')

const descriptionCharsMax = 500

/** Oracle answers 401 to a client that fails to authenticate, 400 to the rest (B13). */
function refuse(error: OAuthError['error'], description: string): OAuthError {
  return {
    status: error === 'invalid_client' ? 401 : 400,
    error,
    // The characters that RFC 6749 §5.2 allows: the text may quote the request.
    error_description: description.slice(0, descriptionCharsMax).replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?'),
  }
}
