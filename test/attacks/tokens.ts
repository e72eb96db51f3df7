import { createHmac, createPublicKey } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { exchange } from '../scenarios/exchange.ts'
import { basic } from '../token-request.ts'
import { type Attack, goodAssertion, part, read, type Target } from './target.ts'

const refused = '401 login'

const bearer = (does: string, make: (target: Target) => string | Promise<string>, answer = refused): Attack => ({
  does: `access token: ${does}`,
  answer,
  send: async (target) => read(target, `Bearer ${await make(target)}`),
})

const pieces = ({ token }: Target) => token.split('.') as [header: string, payload: string, signature: string]
const withHeader = (target: Target, header: Record<string, unknown>) =>
  `${part({ ...decodeProtectedHeader(target.token), ...header })}.${pieces(target)[1]}`
const withClaims = (target: Target, claims: Record<string, unknown>) => {
  const [header, , signature] = pieces(target)
  return `${header}.${part({ ...decodeJwt(target.token), ...claims })}.${signature}`
}

/** The server's public key as the secret of a HMAC. */
const confused = (hash: string, alg: string, key: (target: Target) => string) => (target: Target) => {
  const text = withHeader(target, { alg })
  return `${text}.${createHmac(hash, key(target)).update(text).digest('base64url')}`
}
const asJwk = ({ published }: Target) => JSON.stringify(published)
const asPem = ({ published }: Target) =>
  String(createPublicKey({ key: published as never, format: 'jwk' }).export({ type: 'spki', format: 'pem' }))

/** The attacker signs, with a key of its own. */
async function selfSigned(target: Target, header: (publicKey: object) => Record<string, unknown>, alg = 'ES384') {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  const own = { ...decodeProtectedHeader(target.token), alg, ...header(await exportJWK(publicKey)) }
  return new SignJWT(decodeJwt(target.token)).setProtectedHeader(own).sign(privateKey)
}

const lies: readonly (readonly [does: string, claims: Record<string, unknown>])[] = [
  ['more scopes', { scope: 'system/*.cruds' }],
  ['another tenant', { tenant: 'neighbour' }],
  ['another client', { sub: '00000000-0000-0000-0000-000000000000' }],
  ['a longer life', { exp: 4_102_444_800 }],
]

const headers: readonly (readonly [
  does: string,
  authorization: (target: Target) => string | readonly string[] | undefined,
])[] = [
  ['no header', () => undefined],
  ['an empty header', () => ''],
  ['no token', () => 'Bearer'],
  ['a token in quotes', ({ token }) => `Bearer "${token}"`],
  ['a token and a word', ({ token }) => `Bearer ${token} x`],
  ['two credentials in one header', ({ token }) => `Basic eDp4, Bearer ${token}`],
  ['two headers', ({ token }) => ['Bearer x', `Bearer ${token}`]],
  ['another scheme', ({ token }) => `DPoP ${token}`],
  ['client id and secret', ({ secretClient }) => basic(secretClient.id, secretClient.secret)],
  ['9,000 characters', () => `Bearer ${'a'.repeat(9_000)}`],
]

/** Attacks on FHIR routes by the bearer token. */
export const tokenAttacks: readonly Attack[] = [
  ...headers.map(
    ([does, authorization]): Attack => ({
      does: `Authorization: ${does}`,
      answer: refused,
      send: (target) => read(target, authorization(target)),
    }),
  ),
  bearer('alg none', (target) => `${withHeader(target, { alg: 'none' })}.`),
  bearer('alg nOnE', (target) => `${withHeader(target, { alg: 'nOnE' })}.`),
  bearer('HS256 with our public key as JWK', confused('sha256', 'HS256', asJwk)),
  bearer('HS384 with our public key as PEM', confused('sha384', 'HS384', asPem)),
  bearer('a HMAC called ES384', confused('sha384', 'ES384', asPem)),
  bearer('ES256 under the kid of an ES384 key', (target) => selfSigned(target, () => ({}), 'ES256')),
  bearer('a signature of zeros', (t) => `${withHeader(t, {})}.${Buffer.alloc(96).toString('base64url')}`),
  bearer('no signature', (target) => `${withHeader(target, {})}.`),
  bearer('half a signature', (target) => target.token.slice(0, -40)),
  bearer("a stranger's key under our kid", (target) => selfSigned(target, () => ({}))),
  bearer("a stranger's key in the header", (target) => selfSigned(target, (jwk) => ({ jwk }))),
  bearer('jku of a stranger', (target) => selfSigned(target, () => ({ jku: 'https://evil.example/jwks.json' }))),
  bearer('x5u of a stranger', (target) => selfSigned(target, () => ({ x5u: 'https://evil.example/x.pem' }))),
  ...['../../dev/null', "x' or '1'='1", '__proto__', 'x'.repeat(2_000)].map((kid) =>
    bearer(`kid ${kid.slice(0, 20)}`, (target) => selfSigned(target, () => ({ kid }))),
  ),
  bearer('crit', (target) => `${withHeader(target, { crit: ['exp'] })}.${pieces(target)[2]}`),
  bearer('typ JWT', (target) => `${withHeader(target, { typ: 'JWT' })}.${pieces(target)[2]}`),
  ...lies.map(([does, claims]) => bearer(does, (target) => withClaims(target, claims))),
  bearer('iss of an issuer that nobody trusts', (t) => withClaims(t, { iss: 'https://evil.example' })),
  bearer('iss that begins as ours', (t) => withClaims(t, { iss: `${t.server.url}/oauth2/clinic/../evil` })),
  bearer('an assertion in its place', (target) => goodAssertion(target)),
  bearer('a JWE', () => `${part({ alg: 'dir', enc: 'A128GCM' })}..a.b.c`),
  bearer('a number', () => '1'),
  {
    does: "access token: at another tenant's path",
    answer: '403 forbidden',
    send: (target) => read(target, `Bearer ${target.token}`, '/r4/neighbour/Patient/none'),
  },
  {
    does: "access token: at a path that goes back to another tenant's",
    answer: '404 not-found',
    send: (target) => read(target, `Bearer ${target.token}`, '/r4/neighbour%2F/Patient/none'),
  },
  {
    does: 'access token: at an unknown tenant',
    answer: '403 forbidden',
    send: (target) => read(target, `Bearer ${target.token}`, '/r4/nowhere/Patient/none'),
  },
  {
    does: 'access token: for a type beyond its scopes',
    answer: '403 forbidden',
    send: (target) => read(target, `Bearer ${target.token}`, '/r4/clinic/Observation/none'),
  },
  {
    does: 'access token: to write with a scope to read',
    answer: '403 forbidden',
    send: ({ server, token }) =>
      exchange({
        method: 'DELETE',
        url: `${server.base('clinic')}/Patient/none`,
        headers: { authorization: `Bearer ${token}` },
      }),
  },
  {
    does: 'access token: in the URL',
    answer: refused,
    send: (target) => read(target, undefined, `/r4/clinic/Patient/none?access_token=${target.token}`),
  },
  {
    does: 'introspection: of a stranger',
    answer: '400 invalid_request',
    send: ({ server, token }) =>
      exchange({
        method: 'POST',
        url: `${server.url}/oauth2/clinic/introspect`,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: `token=${token}`,
      }),
  },
  {
    does: "introspection: by a token of another tenant's client",
    answer: '401 invalid_client',
    send: async ({ server, token, neighbour }) =>
      exchange({
        method: 'POST',
        url: `${server.url}/oauth2/clinic/introspect`,
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          authorization: `Bearer ${await server.token(neighbour, 'system/Patient.read')}`,
        },
        body: `token=${token}`,
      }),
  },
]
