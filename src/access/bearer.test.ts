import assert from 'node:assert/strict'
import { createHmac, randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { Pool } from 'pg'
import { openTestStore, type TestStore } from '../database/store.fixture.ts'
import type { Grant } from '../protocol/grant.ts'
import type { Problem } from '../protocol/problem.ts'
import { authenticate, type Challenge } from './bearer.ts'
import { AccessDirectory } from './directory.ts'
import { KeySets } from './issuers/key-sets.ts'
import { OutsideIssuers } from './issuers/outside-issuers.ts'
import { addClient, type Client, disableClient } from './registry/client.ts'
import { generateClientKey } from './registry/client-key.ts'
import { addTenant } from './registry/tenant.ts'
import { signAccessToken, type TokenHolder } from './tokens/access-token.ts'
import { loadSigningKeys, type SigningKeys } from './tokens/signing-key.ts'

const publicUrl = 'https://millrace.example'
const now = new Date('2026-03-01T12:00:00Z')
const seconds = now.getTime() / 1000

let store: TestStore
let pool: Pool
let keys: SigningKeys
let client: Client
let disabled: Client
let outside: OutsideIssuers

before(async () => {
  store = await openTestStore()
  pool = store.pool
  keys = await loadSigningKeys(pool)
  const rules = { privateAddresses: false }
  outside = new OutsideIssuers(
    pool,
    new KeySets(() => 0, rules),
    rules,
    () => now,
    () => 0,
  )
  await addTenant(pool, { id: 'clinic', profile: 'millennium' })
  await addTenant(pool, { id: 'other', profile: 'hl7' })
  const jwks = { keys: [(await generateClientKey('ES384')).publicKey] }
  const register = () => addClient(pool, { tenant: 'clinic', name: 'app', scope: 'system/*.read', keys: { jwks } })
  client = await register()
  disabled = await disableClient(pool, (await register()).id)
})
after(() => store.close())

const check = (authorization: string | undefined, change: { tenant?: string; wildcards?: boolean; at?: Date } = {}) => {
  const { tenant = 'clinic', wildcards = false, at = now } = change
  const directory = new AccessDirectory(pool, () => at.getTime())
  return authenticate(authorization, { directory, outside, publicUrl, tenant, wildcards, now: at })
}

const sign = (holder: Partial<TokenHolder> = {}, context: { publicUrl?: string; now?: Date } = {}) =>
  signAccessToken(
    { tenant: 'clinic', client: client.id, scopes: ['system/Patient.read'], ...holder },
    { keys, publicUrl, now, tokenSeconds: 300, ...context },
  )
const bearer = async (holder: Partial<TokenHolder> = {}, context: { publicUrl?: string; now?: Date } = {}) =>
  `Bearer ${await sign(holder, context)}`

const refusal = (answer: Grant | Challenge | Problem): Challenge => {
  assert.ok('challenge' in answer, 'a grant was given')
  return answer
}
const grant = (answer: Grant | Challenge | Problem): Grant => {
  assert.ok('canRead' in answer, JSON.stringify(answer))
  return answer
}

test('a valid token gives the grant of its tenant, client and scopes', async () => {
  const { tenant, client: id, canRead, canWrite } = grant(await check(await bearer()))
  assert.deepEqual([tenant, id], ['clinic', client.id])
  assert.deepEqual([canRead('Patient'), canRead('Goal'), canWrite('Patient')], [true, false, false])
})

test('the scheme is case-insensitive', async () => {
  grant(await check((await bearer()).replace('Bearer', 'bEARER')))
})

test('D26: wildcards count as the profile says', async () => {
  const authorization = await bearer({ scopes: ['system/*.read'] })
  assert.equal(grant(await check(authorization, { wildcards: false })).canRead('Patient'), false)
  assert.equal(grant(await check(authorization, { wildcards: true })).canRead('Patient'), true)
})

const none = 'Bearer realm="millrace.example"'
const unreadable: readonly (readonly [rule: string, authorization: string | undefined])[] = [
  ['T-133 no header', undefined],
  ['T-134 an empty header', ''],
  ['T-134 Basic', 'Basic dXNlcjpwYXNz'],
  ['T-134 no token', 'Bearer '],
  ['T-134 a token with blanks', 'Bearer a b'],
  ['T-134 two credentials', 'Bearer a, Bearer b'],
  ['T-134 odd characters', 'Bearer {token}'],
  ['T-134 an over-long header', `Bearer ${'a'.repeat(9000)}`],
]

for (const [rule, authorization] of unreadable) {
  for (const tenant of ['clinic', 'nowhere']) {
    test(`${rule}, tenant ${tenant}: 401, B26 a bare challenge`, async () => {
      const { status, code, challenge } = refusal(await check(authorization, { tenant }))
      assert.deepEqual([status, code, challenge], [401, authorization === undefined ? 'login' : 'unknown', none])
    })
  }
}

/** A token as ours, but for the header and claims that are changed, signed by a key of the test's choice. */
async function forge(
  header: Record<string, unknown>,
  claims: Record<string, unknown>,
  key?: Parameters<SignJWT['sign']>[0],
): Promise<string> {
  const ours = {
    iss: `${publicUrl}/oauth2/clinic`,
    aud: `${publicUrl}/r4/clinic`,
    sub: client.id,
    tenant: 'clinic',
    scope: 'system/Patient.read',
    iat: seconds,
    exp: seconds + 300,
  }
  return new SignJWT({ ...ours, ...claims })
    .setProtectedHeader({ alg: 'ES384', kid: keys.kid, typ: 'at+jwt', ...header })
    .sign(key ?? keys.privateKey)
}

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

const forgeries: readonly (readonly [what: string, make: () => Promise<string> | string])[] = [
  ['no JWT at all', () => 'abc'],
  ['three empty parts', () => 'a.b.c'],
  ['alg none', async () => `${part({ alg: 'none', typ: 'at+jwt' })}.${(await sign()).split('.')[1]}.`],
  [
    'HS384 keyed with our public key',
    async () => {
      const text = `${part({ alg: 'HS384', kid: keys.kid, typ: 'at+jwt' })}.${(await sign()).split('.')[1]}`
      const key = JSON.stringify(keys.published[0])
      return `${text}.${createHmac('sha384', key).update(text).digest('base64url')}`
    },
  ],
  ['another key under our kid', async () => forge({}, {}, (await generateKeyPair('ES384')).privateKey)],
  [
    'another key in its own header',
    async () => {
      const { privateKey, publicKey } = await generateKeyPair('ES384', { extractable: true })
      return forge({ jwk: await exportJWK(publicKey) }, {}, privateKey)
    },
  ],
  ['ES256', async () => forge({ alg: 'ES256' }, {}, (await generateKeyPair('ES256')).privateKey)],
  ['an unknown kid', () => forge({ kid: 'unknown' }, {})],
  ['no kid', () => forge({ kid: undefined }, {})],
  ['a kid of the prototype', () => forge({ kid: 'constructor' }, {})],
  ['another typ', () => forge({ typ: 'JWT' }, {})],
  [
    'a changed payload',
    async () => {
      const [header, , signature] = (await sign()).split('.')
      return `${header}.${part({ sub: client.id, tenant: 'clinic', scope: 'system/*.*', exp: seconds + 300 })}.${signature}`
    },
  ],
  ['a wrong issuer', () => forge({}, { iss: 'https://authorization.cerner.com/' })],
  ["another tenant's issuer", () => forge({}, { iss: `${publicUrl}/oauth2/other` })],
  ['another server as issuer', () => sign({}, { publicUrl: 'https://else.example' })],
  ['a wrong audience', () => forge({}, { aud: `${publicUrl}/r4/other` })],
  ['no tenant', () => forge({}, { tenant: undefined })],
  ['a scope that is a list', () => forge({}, { scope: ['system/Patient.read'] })],
  ['no expiry', () => forge({}, { exp: undefined })],
  ['a start ahead', () => forge({}, { nbf: seconds + 60 })],
  ['a client that was removed', () => sign({ client: randomUUID() })],
  ['a client that is disabled', () => sign({ client: disabled.id })],
  ["another tenant's client", () => sign({ tenant: 'other' })],
]

for (const [what, make] of forgeries) {
  test(`T-136: a token with ${what} is 401 unknown, invalid_token`, async () => {
    const { status, code, challenge } = refusal(await check(`Bearer ${await make()}`))
    assert.deepEqual([status, code], [401, 'unknown'])
    assert.match(challenge, /^Bearer realm="millrace.example", error="invalid_token", error_description="[^"\\]+"$/)
  })
}

test('T-135: an expired token is 401 expired', async () => {
  const authorization = await bearer()
  grant(await check(authorization, { at: new Date(now.getTime() + 299_000) }))
  const answer = refusal(await check(authorization, { at: new Date(now.getTime() + 300_000) }))
  assert.deepEqual([answer.status, answer.code], [401, 'expired'])
  assert.match(answer.challenge, /error="invalid_token"/)
})

test('an expired token with a wrong signature is not called expired', async () => {
  const forged = await forge({}, { exp: seconds - 60 }, (await generateKeyPair('ES384')).privateKey)
  assert.equal(refusal(await check(`Bearer ${forged}`)).code, 'unknown')
})

for (const [rule, tenant] of [
  ['T-137 another tenant', 'other'],
  ['T-138 an unknown tenant', 'nowhere'],
  ['T-138 a text that is no tenant id', 'a\u0000b'],
  ['T-138 another spelling', 'Clinic'],
] as const) {
  test(`${rule}: 403 forbidden`, async () => {
    const { status, code, text } = refusal(await check(await bearer(), { tenant }))
    assert.deepEqual([status, code, text], [403, 'forbidden', 'Tenant not valid or accessible'])
  })
}

test('a token is refused once its tenant and client are removed', async () => {
  await pool.query("insert into tenant (id, profile) values ('brief', 'hl7')")
  const jwks = { keys: [(await generateClientKey('ES384')).publicKey] }
  const { id } = await addClient(pool, { tenant: 'brief', name: 'app', scope: 'system/*.read', keys: { jwks } })
  grant(await check(await bearer({ tenant: 'brief', client: id }), { tenant: 'brief' }))
  await pool.query("delete from client where tenant = 'brief'")
  await pool.query("delete from tenant where id = 'brief'")
  const answer = refusal(await check(await bearer({ tenant: 'brief', client: id }), { tenant: 'brief' }))
  assert.equal(answer.status, 401)
})

for (const scopes of [['user/Observation.read'], ['patient/Patient.rs', 'openid'], []]) {
  test(`T-52, S-51: scopes "${scopes.join(' ')}" are 403 forbidden, insufficient_scope`, async () => {
    const { status, code, challenge } = refusal(await check(await bearer({ scopes })))
    assert.deepEqual([status, code], [403, 'forbidden'])
    assert.match(challenge, /error="insufficient_scope"/)
  })
}

test('a disabled client is refused on the next request, whatever was seen before', async () => {
  const directory = new AccessDirectory(pool, () => 0)
  const jwks = { keys: [(await generateClientKey('ES384')).publicKey] }
  const { id } = await addClient(pool, { tenant: 'clinic', name: 'app', scope: 'system/*.read', keys: { jwks } })
  const authorization = await bearer({ client: id })
  const look = () =>
    authenticate(authorization, { directory, outside, publicUrl, tenant: 'clinic', wildcards: false, now })
  grant(await look())
  await disableClient(pool, id)
  assert.equal(refusal(await look()).status, 401)
})
