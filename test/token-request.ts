import { randomUUID } from 'node:crypto'
import { importJWK, type JWK, SignJWT } from 'jose'
import { type Answer, exchange } from './scenarios/exchange.ts'

/** How an assertion differs from a correct one. A member that is undefined is left out. */
export interface Forgery {
  readonly header?: Readonly<Record<string, unknown>>
  readonly claims?: Readonly<Record<string, unknown>>
  /** In place of the client's key. */
  readonly key?: JWK
}

/** An assertion of a client for a token endpoint, correct but for the forgery. */
export async function assertionOf(
  client: { readonly id: string; readonly key: JWK },
  endpoint: string,
  { header, claims, key = client.key }: Forgery = {},
): Promise<string> {
  const alg = String(header?.alg ?? key.alg)
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT({ iss: client.id, sub: client.id, aud: endpoint, exp: now + 240, jti: randomUUID(), ...claims })
    .setProtectedHeader({ kid: String(key.kid), typ: 'JWT', ...header, alg })
    .sign(await importJWK({ ...key, alg }, alg))
}

/** The form of a token request that is authenticated by an assertion; '' leaves a parameter out. */
export function tokenForm(assertion: string, change: Readonly<Record<string, string>> = {}): string {
  const form = {
    grant_type: 'client_credentials',
    scope: 'system/Patient.read',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
    ...change,
  }
  return new URLSearchParams(Object.entries(form).filter(([, value]) => value !== '')).toString()
}

/** Posts a form, to the letter. */
export const postForm = (url: string, body: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  exchange({ method: 'POST', url, headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers }, body })

/** The JSON object that an OAuth endpoint has answered. */
export const oauthBody = (answer: Answer): Readonly<Record<string, unknown>> => JSON.parse(answer.body.toString('utf8'))

/** The credentials of HTTP Basic. */
export const basic = (id: string, secret: string): string =>
  `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
