import type { Queryable } from '../../database/queryable.ts'
import { introspectionEndpoint, tokenEndpoint, tokenIssuer } from '../../fhir/service-urls.ts'
import type { KeySets } from '../issuers/key-sets.ts'
import { type Client, findClient } from '../registry/client.ts'
import type { SecretChecks } from '../registry/client-secret.ts'
import { assertionCharsMax, authenticateByAssertion } from './assertion.ts'
import { comeAgain, type OAuthError, oauthError } from './oauth-error.ts'
import type { PostedRequest, ReadParameter } from './posted-form.ts'
import type { TokenLimits } from './token-limits.ts'

/** What authentication of a client needs. `tenant` is the path segment, known or not. */
export interface AuthenticationContext {
  readonly database: Queryable
  readonly keySets: KeySets
  readonly secrets: SecretChecks
  readonly limits: TokenLimits
  readonly publicUrl: string
  readonly tenant: string
  readonly now: Date
}

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
/** Seconds after which a request is welcome that met too many checks of secrets. */
const busySeconds = 1

/** The refusal when the address has failed too often, else undefined; the request then counts as failed until its client is known. */
export function admitAddress({ address }: PostedRequest, { limits }: AuthenticationContext): OAuthError | undefined {
  const seconds = limits.admit(address)
  return seconds > 0 ? comeAgain(429, seconds, 'too many failed requests from this address') : undefined
}

/**
 * The client that sends a request: by `private_key_jwt` (B8–B13) or by `client_secret_basic` (B24), whichever of the two it is
 * registered for.
 */
export async function authenticateClient(
  request: PostedRequest,
  read: ReadParameter,
  context: AuthenticationContext,
): Promise<Client | OAuthError> {
  const client = await (request.authorization === undefined ? byAssertion : bySecret)(request, read, context)
  if ('error' in client) return client
  const clientId = read('client_id')
  if (clientId !== undefined && clientId !== client.id) {
    return oauthError('invalid_client', 'client_id is not the client that authenticates')
  }
  const seconds = context.limits.authenticated(request.address, client.id)
  return seconds > 0 ? comeAgain(429, seconds, 'too many requests of this client') : client
}

async function byAssertion(
  _request: PostedRequest,
  read: ReadParameter,
  context: AuthenticationContext,
): Promise<Client | OAuthError> {
  if (read('client_secret') !== undefined) {
    return oauthError('invalid_client', 'client_secret belongs into the Authorization header (client_secret_basic)')
  }
  if (read('client_assertion_type') !== assertionType) {
    return oauthError('invalid_request', `client_assertion_type must be ${assertionType}`)
  }
  const assertion = read('client_assertion')
  if (assertion === undefined) return oauthError('invalid_request', 'client_assertion is missing')
  if (assertion.length > assertionCharsMax) return oauthError('invalid_request', 'client_assertion is too long')
  const { publicUrl, tenant } = context
  // SMART names the endpoint's URL (B9), newer OAuth libraries the issuer. All are this tenant's alone.
  const audiences = [tokenEndpoint, tokenIssuer, introspectionEndpoint].map((nameOf) => nameOf(publicUrl, tenant))
  const client = await authenticateByAssertion(assertion, { ...context, audiences })
  return typeof client === 'string' ? oauthError('invalid_client', client) : client
}

async function bySecret(
  { authorization = '' }: PostedRequest,
  read: ReadParameter,
  context: AuthenticationContext,
): Promise<Client | OAuthError> {
  if (read('client_assertion') !== undefined || read('client_secret') !== undefined) {
    return oauthError('invalid_request', 'authenticate in one way only')
  }
  const challenge = `Basic realm="${new URL(context.publicUrl).host}"`
  const refuse = (text: string) => oauthError('invalid_client', text, { challenge })
  const credentials = readBasic(authorization)
  if (!credentials) return refuse('the Authorization header holds no client id and secret')
  const client = await findClient(context.database, credentials.id)
  const known = client?.tenant === context.tenant && client.disabled === undefined ? client : undefined
  const hash = known?.keys.kind === 'secret' ? known.keys.hash : undefined
  const matches = await context.secrets.check(credentials.secret, hash)
  if (matches === 'busy') return comeAgain(503, busySeconds, 'too many requests at the same time')
  return matches && known ? known : refuse('client id or secret is wrong')
}

/** RFC 6749 §2.3.1: id and secret are each form-encoded before they become Basic credentials. */
export function readBasic(authorization: string): { readonly id: string; readonly secret: string } | undefined {
  const encoded = /^basic +([A-Za-z0-9+/]{1,1024}={0,2}) *$/i.exec(authorization)?.[1]
  const [, id = '', secret = ''] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded ?? '', 'base64').toString('utf8')) ?? []
  try {
    const decode = (text: string) => decodeURIComponent(text.replaceAll('+', ' '))
    return id === '' || secret === '' ? undefined : { id: decode(id), secret: decode(secret) }
  } catch {
    return undefined
  }
}
