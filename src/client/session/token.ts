import { randomUUID } from 'node:crypto'
import { type CryptoKey, importJWK, type JWK, SignJWT } from 'jose'
import { Failure } from '../../failure.ts'
import { allTypes, documentedTypes } from '../../fhir/resource-types.ts'
import { smartConfiguration } from '../../fhir/service-urls.ts'
import { answerBytesMax } from '../limits.ts'
import { isObject, plainText } from './outcome.ts'
import { type Outgoing, openTransport, readText } from './transport.ts'

/** Life of a client assertion: below the 300 s that servers accept, so that clocks may differ (B9). */
const assertionSeconds = 240
/** Assumed when the server does not say how long its token lives. */
const unstatedTokenSeconds = 300
/** Time for one answer of a server about tokens. */
const answerMsMax = 30_000

/** What a server's discovery document says about tokens. */
export interface SmartConfiguration {
  readonly tokenEndpoint: string
  readonly scopesSupported: readonly string[]
}

/** A token as granted. `expiresIn` is in seconds. */
export interface GrantedToken {
  readonly accessToken: string
  readonly expiresIn: number
  readonly scope: string
}

/** Where tokens are given: an endpoint, or the FHIR base under which it is discovered. */
export type TokenPlace = { readonly base: string } | { readonly tokenEndpoint: string }

/** What a token is asked with. */
export interface TokenRequest {
  readonly clientId: string
  /** The private key: an EC key on P-384 signs ES384, an RSA key RS384. */
  readonly key: JWK
  /** Blank-separated. */
  readonly scope: string
  readonly signal: AbortSignal
}

/**
 * Asks a SMART Backend Services server for an access token (B7–B9).
 * @throws Failure when the key cannot sign, the server is not reachable, or it refuses.
 */
export async function requestToken(request: TokenPlace & TokenRequest): Promise<GrantedToken> {
  const { clientId, key, scope, signal } = request
  const endpoint = webAddress(
    'tokenEndpoint' in request
      ? request.tokenEndpoint
      : (await readSmartConfiguration(request.base, signal)).tokenEndpoint,
  )
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    scope,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await signAssertion(clientId, key, endpoint.text),
  })
  const headers = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' }
  const answer = await exchange({ method: 'POST', url: endpoint.url, headers, body: form.toString() }, signal)
  return readGrant(answer, endpoint.url, scope)
}

/**
 * Reads `{base}/.well-known/smart-configuration`.
 * @throws Failure when there is no such document, or it names no usable token endpoint.
 */
export async function readSmartConfiguration(base: string, signal: AbortSignal): Promise<SmartConfiguration> {
  const { url } = webAddress(smartConfiguration(base))
  const { status, document } = await exchange({ method: 'GET', url, headers: { accept: 'application/json' } }, signal)
  if (status !== 200 || typeof document?.token_endpoint !== 'string') {
    throw new Failure(
      `${url} does not tell where tokens are given (HTTP ${status}).`,
      'Check that the server is given by its FHIR base URL, such as https://host/r4/tenant, or name the token endpoint.',
    )
  }
  const endpoint = webAddress(document.token_endpoint)
  if (url.protocol === 'https:' && endpoint.url.protocol !== 'https:') {
    throw new Failure(`${url} names a token endpoint that is not https.`, 'Ask the operator of the server.')
  }
  const scopes = Array.isArray(document.scopes_supported) ? document.scopes_supported : []
  return { tokenEndpoint: endpoint.text, scopesSupported: scopes.filter((scope) => typeof scope === 'string') }
}

/** The scopes that read everything exportable: a wildcard where the server advertises one, else each type by name. */
export function readScopes(supported: readonly string[]): string {
  const wildcard = ['system/*.read', 'system/*.rs'].find((scope) => supported.includes(scope))
  if (wildcard !== undefined) return wildcard
  const named = allTypes.flatMap((type) => {
    const pattern = new RegExp(`^system/${type}\\.(read|c?ru?d?s)$`)
    const forms = supported.filter((scope) => pattern.test(scope))
    return forms.find((scope) => scope.endsWith('.read')) ?? forms[0] ?? []
  })
  return (named.length > 0 ? named : documentedTypes.map((type) => `system/${type}.read`)).join(' ')
}

async function signAssertion(clientId: string, key: JWK, audience: string): Promise<string> {
  const algorithm = key.kty === 'RSA' ? 'RS384' : key.kty === 'EC' && key.crv === 'P-384' ? 'ES384' : undefined
  const advice =
    'Give a private JWK with kid: an EC key on P-384, or an RSA key. `bin/millrace client add` can make one.'
  if (algorithm === undefined) throw new Failure('The key can sign neither ES384 nor RS384.', advice)
  if (typeof key.kid !== 'string' || key.kid === '') throw new Failure('The key has no kid.', advice)
  if (typeof key.d !== 'string') throw new Failure('The key is not a private key.', advice)
  let signer: CryptoKey | Uint8Array
  try {
    signer = await importJWK(key, algorithm)
  } catch (error) {
    throw new Failure(`The key cannot be used: ${(error as Error).message}`, advice, { cause: error })
  }
  return new SignJWT()
    .setProtectedHeader({ alg: algorithm, kid: key.kid, typ: 'JWT' })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(audience)
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime(`${assertionSeconds}s`)
    .sign(signer)
}

interface TokenAnswer {
  readonly status: number
  /** The body, when it is a JSON object. */
  readonly document: Readonly<Record<string, unknown>> | undefined
}

async function exchange(outgoing: Outgoing, signal: AbortSignal): Promise<TokenAnswer> {
  const transport = openTransport()
  try {
    const response = await transport.send(outgoing, AbortSignal.any([signal, AbortSignal.timeout(answerMsMax)]))
    return { status: response.statusCode ?? 0, document: parseObject(await readText(response, answerBytesMax)) }
  } catch (error) {
    if (error instanceof Failure || signal.aborted) throw error
    const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message
    throw new Failure(`${outgoing.url} cannot be reached: ${reason}.`, 'Check the address, and that the server runs.', {
      cause: error,
    })
  } finally {
    transport.close()
  }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function readGrant({ status, document }: TokenAnswer, endpoint: URL, asked: string): GrantedToken {
  const { access_token: accessToken, expires_in: expiresIn, scope } = document ?? {}
  if (status !== 200 || typeof accessToken !== 'string') {
    const said = [document?.error, document?.error_description].filter((text) => typeof text === 'string')
    throw new Failure(
      `${endpoint} gave no token (HTTP ${status})${said.length > 0 ? `: ${plainText(said.join(': '))}` : ''}.`,
      'Check the client id, the key and the scopes that the client is registered for.',
    )
  }
  const seconds = Number(expiresIn)
  return {
    accessToken,
    expiresIn: seconds > 0 && Number.isFinite(seconds) ? seconds : unstatedTokenSeconds,
    scope: typeof scope === 'string' ? scope : asked,
  }
}

/** The text is kept beside the parsed URL, because `aud` must be the endpoint's own spelling. */
function webAddress(text: string): { readonly text: string; readonly url: URL } {
  if (!URL.canParse(text) || !/^https?:\/\//i.test(text)) {
    throw new Failure(`"${plainText(text)}" is not a web address.`, 'Give an http or https URL.')
  }
  return { text, url: new URL(text) }
}
