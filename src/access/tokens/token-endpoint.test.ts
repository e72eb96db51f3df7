import assert from 'node:assert/strict'
import { createHmac, randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { decodeJwt, decodeProtectedHeader, importJWK, type JWK, SignJWT } from 'jose'
import type { Pool } from 'pg'
import { openTestStore, type TestStore } from '../../database/store.fixture.ts'
import { tokenEndpoint } from '../../fhir/service-urls.ts'
import { AccessDirectory } from '../directory.ts'
import { KeySets } from '../issuers/key-sets.ts'
import { addClient, type Client, disableClient } from '../registry/client.ts'
import { generateClientKey } from '../registry/client-key.ts'
import { hashClientSecret, newClientSecret, SecretChecks } from '../registry/client-secret.ts'
import { addTenant } from '../registry/tenant.ts'
import type { OAuthError } from './oauth-error.ts'
import { issueToken, type TokenResponse } from './token-endpoint.ts'
import { TokenLimits } from './token-limits.ts'

const publicUrl = 'https://millrace.example'
const now = new Date('2026-03-01T12:00:00Z')
const seconds = now.getTime() / 1000
const audience = tokenEndpoint(publicUrl, 'clinic')

let store: TestStore
let pool: Pool
let es: { readonly privateKey: JWK; readonly publicKey: JWK }
let rs: { readonly privateKey: JWK; readonly publicKey: JWK }
let client: Client
let foreign: Client

before(async () => {
  store = await openTestStore()
  pool = store.pool
  es = await generateClientKey('ES384')
  rs = await generateClientKey('RS384')
  await addTenant(pool, { id: 'clinic', profile: 'hl7' })
  await addTenant(pool, { id: 'other', profile: 'hl7' })
  const keys = { jwks: { keys: [es.publicKey, rs.publicKey] } }
  client = await addClient(pool, { tenant: 'clinic', name: 'app', scope: 'system/*.read', keys })
  foreign = await addClient(pool, { tenant: 'other', name: 'app', scope: 'system/*.read', keys })
})
after(() => store.close())

interface Forgery {
  readonly header?: Record<string, unknown>
  readonly claims?: Record<string, unknown>
  readonly key?: JWK
}

async function assertion({ header, claims, key = es.privateKey }: Forgery = {}): Promise<string> {
  const alg = String(header?.alg ?? key.alg)
  const id = client.id
  return new SignJWT({ iss: id, sub: id, aud: audience, exp: seconds + 300, jti: randomUUID(), ...claims })
    .setProtectedHeader({ kid: String(key.kid), typ: 'JWT', ...header, alg })
    .sign(await importJWK({ ...key, alg }, alg))
}

const form = (client_assertion: string, change: Record<string, string> = {}) =>
  new URLSearchParams({
    grant_type: 'client_credentials',
    scope: 'system/Patient.read',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion,
    ...change,
  }).toString()

interface Circumstances {
  readonly tenant?: string
  readonly wildcards?: boolean
  readonly contentType?: string
  readonly authorization?: string | undefined
  readonly limits?: TokenLimits
  /** What the server thinks the time is. */
  readonly now?: Date
}

const ask = async (body: string, change: Circumstances = {}): Promise<TokenResponse | OAuthError> => {
  const { contentType = 'application/x-www-form-urlencoded', tenant = 'clinic', wildcards = true } = change
  const directory = new AccessDirectory(pool, () => 0)
  const keySets = new KeySets(() => 0, { privateAddresses: false })
  const { limits = new TokenLimits(() => 0), authorization } = change
  const context = { database: pool, directory, keySets, secrets: new SecretChecks(), limits, tokenSeconds: 300 }
  const request = { contentType, authorization, body, address: '192.0.2.1' }
  const answer = await issueToken(request, { ...context, publicUrl, tenant, wildcards, now: change.now ?? now })
  return 'response' in answer ? answer.response : answer
}

const granted = (answer: TokenResponse | OAuthError): TokenResponse => {
  assert.ok('access_token' in answer, JSON.stringify(answer))
  return answer
}
const refusal = (answer: TokenResponse | OAuthError): string => {
  assert.ok('error' in answer, 'a token was given')
  return `${answer.status} ${answer.error}: ${answer.error_description}`
}

test('B7, B15, B16: a correct request gets a bearer token of 300 s', async () => {
  const answer = granted(await ask(form(await assertion())))
  assert.deepEqual(
    { ...answer, access_token: '' },
    {
      access_token: '',
      token_type: 'bearer',
      expires_in: 300,
      scope: 'system/Patient.read',
    },
  )
  const { jti, ...claims } = decodeJwt(answer.access_token)
  assert.equal(typeof jti, 'string')
  assert.deepEqual(claims, {
    iss: `${publicUrl}/oauth2/clinic`,
    sub: client.id,
    client_id: client.id,
    aud: `${publicUrl}/r4/clinic`,
    tenant: 'clinic',
    scope: 'system/Patient.read',
    iat: seconds,
    exp: seconds + 300,
  })
  assert.equal(decodeProtectedHeader(answer.access_token).alg, 'ES384')
})

test('B4: RS384 is accepted too', async () => {
  granted(await ask(form(await assertion({ key: rs.privateKey }))))
})

const accepted: readonly (readonly [what: string, forgery: Forgery])[] = [
  ['the issuer as aud', { claims: { aud: `${publicUrl}/oauth2/clinic` } }],
  ['aud in a list', { claims: { aud: ['https://else.example', audience] } }],
  ['exp 25 s ago, within the clock tolerance', { claims: { exp: seconds - 25 } }],
  ['exp 5 min 25 s ahead, within the clock tolerance', { claims: { exp: seconds + 325 } }],
  ['iat and nbf now', { claims: { iat: seconds, nbf: seconds } }],
  ['a foreign typ', { header: { typ: undefined } }],
]

for (const [what, forgery] of accepted) {
  test(`an assertion with ${what} is accepted`, async () => {
    granted(await ask(form(await assertion(forgery))))
  })
}

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const plain = (header: object) =>
  `${part(header)}.${part({ iss: client.id, sub: client.id, aud: audience, exp: seconds + 60, jti: 'x' })}`

const attacks: readonly (readonly [what: string, make: () => Promise<string> | string, said: RegExp])[] = [
  ['B4 alg none', () => `${plain({ alg: 'none', kid: es.publicKey.kid })}.`, /alg must be/],
  [
    'B4 HS256 keyed with the public key',
    () => {
      const text = plain({ alg: 'HS256', kid: es.publicKey.kid })
      return `${text}.${createHmac('sha256', JSON.stringify(es.publicKey)).update(text).digest('base64url')}`
    },
    /alg must be/,
  ],
  [
    'B4 HS384 keyed with the public key, called ES384',
    () => {
      const text = plain({ alg: 'ES384', kid: es.publicKey.kid })
      return `${text}.${createHmac('sha384', JSON.stringify(es.publicKey)).update(text).digest('base64url')}`
    },
    /signature/,
  ],
  ['T-193 RS256', () => assertion({ key: rs.privateKey, header: { alg: 'RS256' } }), /alg must be/],
  ['B11 kid of a key of the other type', () => assertion({ header: { kid: rs.publicKey.kid } }), /no registered key/],
  ['T-193 unknown kid', () => assertion({ header: { kid: 'unknown' } }), /no registered key/],
  ['B8 no kid', () => assertion({ header: { kid: undefined } }), /kid is missing/],
  ['B8 jku, although the keys are inline', () => assertion({ header: { jku: 'https://evil.example/jwks' } }), /jku/],
  [
    'B10 signed by another key under our kid',
    async () => {
      const { privateKey } = await generateClientKey('ES384')
      return assertion({ key: { ...privateKey, kid: String(es.publicKey.kid) } })
    },
    /signature/,
  ],
  [
    'a key embedded in the header',
    async () => {
      const { privateKey, publicKey } = await generateClientKey('ES384')
      return assertion({ key: { ...privateKey, kid: String(es.publicKey.kid) }, header: { jwk: publicKey } })
    },
    /signature/,
  ],
  [
    'an unknown critical header',
    () =>
      assertion({ header: { kid: es.publicKey.kid } }).then((jwt) => {
        const [, payload, signature] = jwt.split('.')
        return `${part({ alg: 'ES384', kid: es.publicKey.kid, crit: ['x'], x: 1 })}.${payload}.${signature}`
      }),
    /signature/,
  ],
  ['T-193 wrong aud', () => assertion({ claims: { aud: `${publicUrl}/r4/clinic` } }), /aud/],
  ['the aud of another tenant', () => assertion({ claims: { aud: tokenEndpoint(publicUrl, 'other') } }), /aud/],
  ['no aud', () => assertion({ claims: { aud: undefined } }), /aud/],
  ['T-193 iss is not sub', () => assertion({ claims: { sub: foreign.id } }), /iss and sub/],
  ['no iss', () => assertion({ claims: { iss: undefined, sub: undefined } }), /iss and sub/],
  [
    'an unregistered client',
    () => {
      const id = randomUUID()
      return assertion({ claims: { iss: id, sub: id } })
    },
    /not a client of this tenant/,
  ],
  ['a client id that is no id', () => assertion({ claims: { iss: '\u0000', sub: '\u0000' } }), /not a client/],
  [
    "another tenant's client",
    () => assertion({ claims: { iss: foreign.id, sub: foreign.id } }),
    /not a client of this/,
  ],
  ['T-193 exp 6 minutes ahead', () => assertion({ claims: { exp: seconds + 360 } }), /5 minutes/],
  ['T-193 expired', () => assertion({ claims: { exp: seconds - 31 } }), /expired/],
  ['no exp', () => assertion({ claims: { exp: undefined } }), /exp/],
  ['exp as text', () => assertion({ claims: { exp: `${seconds + 60}` } }), /exp/],
  ['nbf ahead', () => assertion({ claims: { nbf: seconds + 60 } }), /nbf/],
  ['iat ahead', () => assertion({ claims: { iat: seconds + 60 } }), /iat/],
  ['no jti', () => assertion({ claims: { jti: undefined } }), /jti/],
  ['an over-long jti', () => assertion({ claims: { jti: 'x'.repeat(257) } }), /jti/],
  ['a jti that the store cannot hold', () => assertion({ claims: { jti: 'a\u0000' } }), /jti/],
  ['no JWT', () => 'abc', /not a JWT/],
  ['a JWT of arrays', () => `${part([])}.${part([])}.`, /not a JWT|alg must be/],
  ['a token of ours', async () => granted(await ask(form(await assertion()))).access_token, /iss and sub/],
]

for (const [what, make, said] of attacks) {
  test(`B13: ${what} is 401 invalid_client`, async () => {
    const answer = refusal(await ask(form(await make())))
    assert.match(answer, /^401 invalid_client: /)
    assert.match(answer, said)
  })
}

test('T-193: two keys with one kid are refused, also when the table holds them', async () => {
  const keys = { jwks: { keys: [es.publicKey] } }
  const { id } = await addClient(pool, { tenant: 'clinic', name: 'twins', scope: 'system/*.read', keys })
  const twins = { keys: [es.publicKey, { ...(await generateClientKey('ES384')).publicKey, kid: es.publicKey.kid }] }
  await pool.query('update client set jwks = $2 where id = $1', [id, twins])
  assert.match(refusal(await ask(form(await assertion({ claims: { iss: id, sub: id } })))), /several registered keys/)
})

test('a disabled client is refused', async () => {
  const keys = { jwks: { keys: [es.publicKey] } }
  const { id } = await addClient(pool, { tenant: 'clinic', name: 'gone', scope: 'system/*.read', keys })
  await disableClient(pool, id)
  assert.match(refusal(await ask(form(await assertion({ claims: { iss: id, sub: id } })))), /401 .*disabled/)
})

test('an unknown tenant has no clients', async () => {
  for (const tenant of ['nowhere', '\u0000', '../clinic']) {
    const jwt = await assertion({ claims: { aud: tokenEndpoint(publicUrl, tenant) } })
    assert.match(refusal(await ask(form(jwt), { tenant })), /^401 invalid_client/)
  }
})

test('B10: a replayed jti is refused; another client may use the same one', async () => {
  const claims = { jti: 'once' }
  granted(await ask(form(await assertion({ claims }))))
  assert.match(refusal(await ask(form(await assertion({ claims })))), /^401 invalid_client: jti was used before/)
  const theirs = { ...claims, iss: foreign.id, sub: foreign.id, aud: tokenEndpoint(publicUrl, 'other') }
  granted(await ask(form(await assertion({ claims: theirs })), { tenant: 'other' }))
})

test('B10: of simultaneous replays of one assertion exactly one gets a token', async () => {
  const body = form(await assertion())
  const answers = await Promise.all(Array.from({ length: 8 }, () => ask(body)))
  assert.equal(answers.filter((answer) => 'access_token' in answer).length, 1)
})

test('used assertions are cleared away by the clock of the database, whatever a server thinks the time is', async () => {
  const insert = 'insert into assertion (client, jti, expires) values ($1, $2, clock_timestamp() + $3::interval)'
  await pool.query(insert, [client.id, 'old', '-1 s'])
  await pool.query(insert, [client.id, 'live', '1 min'])
  const body = form(await assertion())
  granted(await ask(body))
  const { rows } = await pool.query("select jti from assertion where jti in ('old', 'live')")
  assert.deepEqual(rows, [{ jti: 'live' }])
  // A server whose clock is an hour ahead gives a token, and sweeps.
  const ahead = new Date(now.getTime() + 3_600_000)
  const later = { exp: seconds + 3_600 + 60, iat: seconds + 3_600 }
  granted(await ask(form(await assertion({ claims: later })), { now: ahead }))
  assert.match(refusal(await ask(body)), /jti was used before/)
  const { rows: kept } = await pool.query(
    'select min(expires) > clock_timestamp() + interval $$23 h$$ as long from assertion where jti <> $1',
    ['live'],
  )
  assert.deepEqual(kept, [{ long: true }])
})

const malformed: readonly (readonly [
  rule: string,
  body: (form: string) => string,
  contentType: string,
  answer: RegExp,
])[] = [
  ['T-195 a JSON body', () => '{}', 'application/json', /^400 invalid_request: Content-Type/],
  ['no content type', (body) => body, '', /^400 invalid_request: Content-Type/],
  ['T-195 no grant_type', (body) => body.replace('grant_type=', 'x='), 'form', /^400 invalid_request: grant_type/],
  ['T-195 password', (body) => body.replace('client_credentials', 'password'), 'form', /^400 unsupported_grant_type/],
  ['another assertion type', (body) => body.replace('jwt-bearer', 'saml'), 'form', /^400 invalid_request: client_ass/],
  ['no assertion', (body) => body.replace('client_assertion=', 'x='), 'form', /^400 invalid_request: client_assertion/],
  ['a repeated parameter', (body) => `${body}&scope=x`, 'form', /^400 invalid_request: the parameter scope/],
  ['no scope', (body) => body.replace('scope=', 'x='), 'form', /^400 invalid_scope: scope is missing/],
  ['an empty scope', (body) => body.replace(/scope=[^&]*/, 'scope=+'), 'form', /^400 invalid_scope: scope is empty/],
  ['a long scope', (body) => body.replace('scope=', `scope=${'x'.repeat(5000)}`), 'form', /^400 .*too long/],
  ['a long assertion', (body) => `${body}${'x'.repeat(9000)}`, 'form', /^400 .*too long/],
  ['a long body', (body) => `${body}&x=${'x'.repeat(40_000)}`, 'form', /^400 .*too long/],
  ['a client_id that is not iss', (body) => `${body}&client_id=x`, 'form', /^401 invalid_client: client_id/],
]

for (const [rule, change, contentType, answer] of malformed) {
  test(`${rule}: ${answer.source}`, async () => {
    const type = contentType === 'form' ? 'application/x-www-form-urlencoded; charset=utf-8' : contentType
    assert.match(refusal(await ask(change(form(await assertion())), { contentType: type })), answer)
  })
}

const scopes: readonly (readonly [rule: string, scope: string, wildcards: boolean, answer: RegExp | string])[] = [
  ['T-194 partly unknown', 'nonsense system/Goal.read openid', true, 'system/Goal.read'],
  ['T-194 unknown only', 'nonsense', true, /^400 invalid_scope: nonsense: not a SMART resource scope/],
  ['T-194 nothing registered', 'system/Goal.write', true, /^400 invalid_scope: .*not registered/],
  ['D26 wildcards honoured', 'system/*.read', true, 'system/*.read'],
  ['D26 wildcards not honoured', 'system/*.read', false, /^400 invalid_scope: .*wildcard/],
  ['RFC 6749 description without quotes', 'a"\\\u00e9', true, /^400 invalid_scope: a\?\?\?: not/],
]

for (const [rule, scope, wildcards, expected] of scopes) {
  test(`${rule}: asked ${scope}`, async () => {
    const answer = await ask(form(await assertion(), { scope }), { wildcards })
    if (typeof expected === 'string') assert.equal(granted(answer).scope, expected)
    else assert.match(refusal(answer), expected)
  })
}

const secretForm = (change: Record<string, string> = {}) =>
  new URLSearchParams({ grant_type: 'client_credentials', scope: 'system/Patient.read', ...change }).toString()
const basic = (id: string, secret: string) => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`

async function secretClient(tenant = 'clinic') {
  const secret = newClientSecret()
  const keys = { secretHash: await hashClientSecret(secret) }
  const { id } = await addClient(pool, { tenant, name: 'basic', scope: 'system/*.read', keys })
  return { id, secret }
}

test('B24: a client that is registered with a secret gets a token by HTTP Basic', async () => {
  const { id, secret } = await secretClient()
  const answer = granted(await ask(secretForm(), { authorization: basic(id, secret) }))
  assert.equal(decodeJwt(answer.access_token).sub, id)
  granted(await ask(secretForm({ client_id: id }), { authorization: basic(id, secret).replace('Basic', 'bASIC ') }))
  granted(await ask(secretForm(), { authorization: basic(id.replaceAll('-', '%2D'), secret) }))
})

test('B24: only a hash of the secret is stored, of scrypt and with its parameters', async () => {
  const { id, secret } = await secretClient()
  const { rows } = await pool.query('select to_jsonb(client)::text as row from client where id = $1', [id])
  assert.ok(!rows[0].row.includes(secret))
  assert.match(rows[0].row, /scrypt\$16384\$8\$1\$[\w-]{22}\$[\w-]{43}"/)
})

test('B24: every wrong use of a secret is refused as the client of HTTP Basic expects', async () => {
  const { id, secret } = await secretClient()
  const other = await secretClient()
  const theirs = await secretClient('other')
  const gone = await secretClient()
  await disableClient(pool, gone.id)
  const jwt = await assertion()
  const cases: readonly (readonly [what: string, authorization: string, form: string, said: RegExp])[] = [
    ['a wrong secret', basic(id, `${secret}x`), secretForm(), /^401 .*wrong/],
    ['another client\u2019s secret', basic(id, other.secret), secretForm(), /^401 .*wrong/],
    ['an unknown client', basic(randomUUID(), secret), secretForm(), /^401 .*wrong/],
    ['a client of another tenant', basic(theirs.id, theirs.secret), secretForm(), /^401 .*wrong/],
    ['a disabled client', basic(gone.id, gone.secret), secretForm(), /^401 .*wrong/],
    ['a client with keys', basic(client.id, secret), secretForm(), /^401 .*wrong/],
    ['a secret of great length', basic(id, 'x'.repeat(700)), secretForm(), /^401 .*wrong/],
    ['no secret', basic(id, ''), secretForm(), /^401 .*no client id and secret/],
    ['no colon', `Basic ${Buffer.from(id).toString('base64')}`, secretForm(), /^401 .*no client id/],
    ['a broken escape', basic(id, '%zz'), secretForm(), /^401 .*no client id and secret/],
    ['another scheme', `Bearer ${secret}`, secretForm(), /^401 .*no client id and secret/],
    ['another client_id', basic(id, secret), secretForm({ client_id: client.id }), /^401 .*client_id/],
    ['an assertion beside it', basic(id, secret), form(jwt), /^400 invalid_request: authenticate in one way/],
    ['the secret twice', basic(id, secret), secretForm({ client_secret: secret }), /^400 .*one way/],
  ]
  for (const [what, authorization, body, said] of cases) {
    const answer = await ask(body, { authorization })
    assert.match(refusal(answer), said, what)
    if (said.source.includes('401') && !what.includes('client_id')) {
      assert.equal('challenge' in answer && answer.challenge, 'Basic realm="millrace.example"', what)
    }
  }
  const inForm = await ask(secretForm({ client_id: id, client_secret: secret }))
  assert.match(refusal(inForm), /^401 invalid_client: client_secret belongs/)
})

test('a client with a secret is not authenticated by an assertion', async () => {
  const { id } = await secretClient()
  assert.match(refusal(await ask(form(await assertion({ claims: { iss: id, sub: id } })))), /registered with a secret/)
})

test('of 10,000 wrong attempts of one address a hundred are looked at; a client of another address is let in', async () => {
  const limits = new TokenLimits(() => 0)
  const answers = new Map<string, number>()
  for (let attempt = 0; attempt < 10_000; attempt++) {
    const answer = refusal(await ask(form('no JWT'), { limits }))
    answers.set(answer, (answers.get(answer) ?? 0) + 1)
  }
  assert.deepEqual(
    [...answers].map(([answer, count]) => `${count} ${answer}`),
    [
      '100 401 invalid_client: the assertion is not a JWT',
      '9900 429 temporarily_unavailable: too many failed requests from this address',
    ],
  )
})

test('what succeeds is not charged to the address, but to the client', async () => {
  const limits = new TokenLimits(() => 0)
  for (let attempt = 0; attempt < 100; attempt++) granted(await ask(form(await assertion()), { limits }))
  const answer = await ask(form(await assertion()), { limits })
  assert.match(refusal(answer), /^429 temporarily_unavailable: too many requests of this client/)
  assert.equal('retryAfter' in answer && answer.retryAfter, 1)
  const { id, secret } = await secretClient()
  granted(await ask(secretForm(), { limits, authorization: basic(id, secret) }))
})
