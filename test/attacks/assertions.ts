import { createHmac, createPublicKey, randomUUID } from 'node:crypto'
import { generateClientKey } from '../../src/access/registry/client-key.ts'
import { assertionOf, type Forgery, tokenForm } from '../token-request.ts'
import { type Attack, ask, endpointOf, goodAssertion, part, type Target } from './target.ts'

const seconds = () => Math.floor(Date.now() / 1000)

const forged = (does: string, forge: (target: Target) => Forgery | Promise<Forgery>): Attack => ({
  does: `assertion: ${does}`,
  answer: '401 invalid_client',
  send: async (target) =>
    ask(target, tokenForm(await assertionOf(target.client, endpointOf(target), await forge(target)))),
})

const raw = (
  does: string,
  make: (target: Target) => string | Promise<string>,
  answer = '401 invalid_client',
): Attack => ({
  does: `assertion: ${does}`,
  answer,
  send: async (target) => ask(target, tokenForm(await make(target))),
})

/** Header and payload as the client's own assertion has them, for a signature of the attacker's choice. */
function unsigned(target: Target, header: Record<string, unknown>): string {
  const { client } = target
  const claims = { iss: client.id, sub: client.id, aud: endpointOf(target), exp: seconds() + 60, jti: randomUUID() }
  return `${part({ kid: client.key.kid, typ: 'JWT', ...header })}.${part(claims)}`
}

const publicHalf = ({ client }: Target) => {
  const { d: _, ...half } = client.key
  return half
}

/** Key confusion: the public key, which everybody knows, as the secret of a HMAC. */
const confused = (hash: string, alg: string, key: (target: Target) => string) => (target: Target) => {
  const text = unsigned(target, { alg })
  return `${text}.${createHmac(hash, key(target)).update(text).digest('base64url')}`
}
const asJwk = (target: Target) => JSON.stringify(publicHalf(target))
const asPem = (target: Target) =>
  String(createPublicKey({ key: publicHalf(target) as never, format: 'jwk' }).export({ type: 'spki', format: 'pem' }))

const kids: readonly unknown[] = [
  'unknown',
  '',
  '../../../../dev/null',
  "x' or '1'='1",
  'x\u0000',
  '__proto__',
  'constructor',
  'x'.repeat(257),
  { $ne: null },
  ['a'],
  7,
]

const claims: readonly (readonly [does: string, claims: (target: Target) => Record<string, unknown>])[] = [
  ['wrong aud', () => ({ aud: 'https://elsewhere.example/token' })],
  ['the FHIR base as aud', ({ server }) => ({ aud: server.base('clinic') })],
  ["another tenant's endpoint as aud", (target) => ({ aud: endpointOf(target, 'neighbour') })],
  ['aud with a slash more', (target) => ({ aud: `${endpointOf(target)}/` })],
  ['aud in other letters', (target) => ({ aud: endpointOf(target).toUpperCase() })],
  ['aud that is an object', () => ({ aud: {} })],
  ['no aud', () => ({ aud: undefined })],
  ["another client's iss and sub", ({ secretClient }) => ({ iss: secretClient.id, sub: secretClient.id })],
  ["another tenant's client", ({ neighbour }) => ({ iss: neighbour.id, sub: neighbour.id })],
  ["another client's sub", ({ neighbour }) => ({ sub: neighbour.id })],
  ['iss that is a list', ({ client }) => ({ iss: [client.id], sub: [client.id] })],
  ['expired', () => ({ exp: seconds() - 31 })],
  ['exp 6 minutes ahead', () => ({ exp: seconds() + 360 })],
  ['exp at the end of all days', () => ({ exp: 1e308 })],
  ['exp as text', () => ({ exp: String(seconds() + 60) })],
  ['no exp', () => ({ exp: undefined })],
  ['nbf in the future', () => ({ nbf: seconds() + 120 })],
  ['iat in the future', () => ({ iat: seconds() + 120 })],
  ['no jti', () => ({ jti: undefined })],
  ['a jti that is an object', () => ({ jti: {} })],
  ['a jti of 257 characters', () => ({ jti: 'x'.repeat(257) })],
  ['a jti that the store cannot hold', () => ({ jti: 'a\u0000' })],
]

/** Attacks on the authentication of clients by an assertion. */
export const assertionAttacks: readonly Attack[] = [
  raw('alg none', (target) => `${unsigned(target, { alg: 'none' })}.`),
  raw('alg None', (target) => `${unsigned(target, { alg: 'None' })}.`),
  raw('no alg', (target) => `${unsigned(target, {})}.AAAA`),
  raw('alg in small letters', (target) => `${unsigned(target, { alg: 'es384' })}.AAAA`),
  raw('HS256 with the public key as JWK', confused('sha256', 'HS256', asJwk)),
  raw('HS384 with the public key as PEM', confused('sha384', 'HS384', asPem)),
  raw('a HMAC with the public key, called ES384', confused('sha384', 'ES384', asPem)),
  raw('a signature of zeros', (t) => `${unsigned(t, { alg: 'ES384' })}.${Buffer.alloc(96).toString('base64url')}`),
  raw('an empty signature', (target) => `${unsigned(target, { alg: 'ES384' })}.`),
  raw('two parts', (target) => unsigned(target, { alg: 'ES384' })),
  raw('five parts, as if encrypted', (target) => `${part({ alg: 'dir', enc: 'A128GCM' })}.${unsigned(target, {})}.a.b`),
  raw('no JWT', () => 'garbage'),
  raw('other claims under a signature', async (target) => {
    const [header, , signature] = (await goodAssertion(target)).split('.')
    const id = target.neighbour.id
    return `${header}.${part({ iss: id, sub: id, aud: endpointOf(target), exp: seconds() + 60, jti: 'x' })}.${signature}`
  }),
  raw('a crit header that nobody knows', async (target) => {
    const [, payload, signature] = (await goodAssertion(target)).split('.')
    const header = { alg: 'ES384', kid: target.client.key.kid, crit: ['exp'], exp: 1 }
    return `${part(header)}.${payload}.${signature}`
  }),
  raw('b64 false', async (target) => {
    const [, payload, signature] = (await goodAssertion(target)).split('.')
    return `${part({ alg: 'ES384', kid: target.client.key.kid, crit: ['b64'], b64: false })}.${payload}.${signature}`
  }),
  raw('an access token in its place', ({ token }) => token),
  raw('8,193 characters', () => 'x'.repeat(8_193), '400 invalid_request'),
  forged("a stranger's key under our kid", async ({ client }) => {
    const { privateKey } = await generateClientKey('ES384')
    return { key: { ...privateKey, kid: String(client.key.kid) } }
  }),
  forged("a stranger's key in the header", async ({ client }) => {
    const { privateKey, publicKey } = await generateClientKey('ES384')
    return { key: { ...privateKey, kid: String(client.key.kid) }, header: { jwk: publicKey } }
  }),
  forged('x5u that leads to a stranger', async ({ client }) => {
    const { privateKey } = await generateClientKey('ES384')
    const header = { x5u: 'https://evil.example/cert.pem', x5c: ['AAAA'] }
    return { key: { ...privateKey, kid: String(client.key.kid) }, header }
  }),
  forged('an RSA key under the kid of an EC key', async ({ client }) => {
    const { privateKey } = await generateClientKey('RS384')
    return { key: { ...privateKey, kid: String(client.key.kid) } }
  }),
  forged('a jku that is not registered', () => ({ header: { jku: 'https://evil.example/jwks.json' } })),
  forged('a jku on the loopback', ({ server }) => ({ header: { jku: `${server.url}/oauth2/clinic/jwks` } })),
  ...kids.map((kid) => forged(`kid ${JSON.stringify(kid).slice(0, 40)}`, () => ({ header: { kid } }))),
  ...claims.map(([does, change]) => forged(does, (target) => ({ claims: change(target) }))),
  {
    does: 'assertion: replayed',
    answer: '401 invalid_client',
    send: async (target) => {
      const form = tokenForm(await goodAssertion(target))
      await ask(target, form)
      return ask(target, form)
    },
  },
  {
    does: 'assertion: a key set URL on the loopback is not fetched',
    answer: '401 invalid_client',
    send: async (target) => ask(target, tokenForm(await assertionOf(target.urlClient, endpointOf(target)))),
  },
]
