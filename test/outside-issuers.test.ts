import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { addTrustedIssuer, removeTrustedIssuer, type TrustedIssuer } from '../src/access/issuers/trusted-issuer.ts'
import { askingClient, ForeignIssuer, foreignClient } from './foreign-issuer.ts'
import { type Answer, closeConnections, exchange } from './scenarios/exchange.ts'
import { TestServer } from './server.ts'

let server: TestServer
let foreign: ForeignIssuer
/** A server of the test's own, for tokens that `oidc-provider` does not make. */
let oracle: { readonly issuer: string; readonly server: Server; keys: JWK[] }
let oracleKey: CryptoKey
let base: string

before(async () => {
  server = await TestServer.start(['--allow-private-addresses'])
  for (const tenant of ['clinic', 'neighbour', 'opaque', 'silent']) await server.addTenant(tenant)
  await server.addTenant('strict', 'hl7')
  base = server.base('clinic')
  foreign = await ForeignIssuer.start({ [server.base('opaque')]: 'opaque' })
  const pair = await generateKeyPair('ES256')
  oracleKey = pair.privateKey
  const keys = [{ ...(await exportJWK(pair.publicKey)), kid: '2026-11-23-ec', alg: 'ES256', use: 'sig' }]
  const http = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: oracle.keys }))
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  oracle = { issuer: `http://127.0.0.1:${(http.address() as AddressInfo).port}/`, server: http, keys }
  for (const tenant of ['clinic', 'strict']) await trust(tenant, {})
  const check = { kind: 'keys', url: `${oracle.issuer}jwk`, algorithms: ['ES256'] } as const
  await trust('clinic', { issuer: oracle.issuer, check, audience: undefined, foreignTenant: 'ec2458f2' })
  await trust('neighbour', { issuer: oracle.issuer, check, audience: undefined, foreignTenant: 'other-tenant' })
  await trust('opaque', { check: introspection(`${foreign.issuer}/token/introspection`) })
  await trust('silent', { check: introspection(`${foreign.issuer}/nowhere`) })
})
after(async () => {
  closeConnections()
  oracle.server.closeAllConnections()
  oracle.server.close()
  await foreign.close()
  await server.stop()
})

const introspection = (url: string) =>
  ({ kind: 'introspection', url, client: askingClient.id, secret: askingClient.secret }) as const

const trust = (tenant: string, change: Partial<TrustedIssuer>) =>
  addTrustedIssuer(server.pool, {
    tenant,
    issuer: foreign.issuer,
    check: { kind: 'keys', url: `${foreign.issuer}/jwks`, algorithms: ['ES256', 'RS256'] },
    audience: server.base(tenant),
    foreignTenant: tenant,
    ...change,
  })

/** A read of a patient that is not there: 404 for whoever may read patients. */
const read = (token: string, tenant = 'clinic'): Promise<Answer> =>
  exchange({
    method: 'GET',
    url: `${server.base(tenant)}/Patient/none`,
    headers: { authorization: `Bearer ${token}`, accept: 'application/fhir+json' },
  })
const codeOf = (answer: Answer) =>
  `${answer.status} ${JSON.parse(answer.body.toString('utf8')).issue[0].code} ${answer.headers['www-authenticate']?.match(/error="(\w+)"/)?.[1] ?? ''}`.trim()

test('a token of oidc-provider starts an export, which belongs to its client of that issuer', async () => {
  const token = await foreign.token(base, 'system/Patient.read')
  const authorization = `Bearer ${token}`
  const patient = { resourceType: 'Patient', id: 'one' }
  const writer = await server.addClient('clinic')
  const own = { authorization: `Bearer ${await server.token(writer)}` }
  const json = { 'content-type': 'application/fhir+json', accept: 'application/fhir+json' }
  const put = { method: 'PUT', url: `${base}/Patient/one`, headers: { ...own, ...json }, body: JSON.stringify(patient) }
  assert.equal((await exchange(put)).status, 201)

  const parameter = [
    { name: 'patient', valueReference: { reference: 'Patient/one' } },
    { name: '_type', valueString: 'Patient' },
  ]
  const accepted = await exchange({
    method: 'POST',
    url: `${base}/Patient/$export`,
    headers: { authorization, ...json, prefer: 'respond-async' },
    body: JSON.stringify({ resourceType: 'Parameters', parameter }),
  })
  assert.equal(accepted.status, 202, accepted.body.toString('utf8'))
  const url = String(accepted.headers['content-location'])
  const status = (headers: Record<string, string>) => exchange({ method: 'GET', url, headers })
  assert.equal(codeOf(await status(own)), '403 forbidden')
  const later = await foreign.token(base, 'system/Condition.read')
  let answer = await status({ authorization: `Bearer ${later}` })
  while (answer.status === 202 || answer.status === 429) {
    await setTimeout(Number(answer.headers['retry-after']) * 1000)
    answer = await status({ authorization: `Bearer ${later}` })
  }
  assert.equal(answer.status, 200)
  const { rows } = await server.pool.query('select client from job')
  assert.deepEqual(rows, [{ client: `${foreign.issuer}#${foreignClient.id}` }])
})

test('scopes of a foreign token count as ours do: by type, and never user/', async () => {
  assert.equal(codeOf(await read(await foreign.token(base, 'system/Patient.read'))), '404 not-found')
  assert.match(codeOf(await read(await foreign.token(base, 'system/Condition.read'))), /^403 forbidden/)
  assert.equal(codeOf(await read(await foreign.token(base, 'user/Patient.read'))), '403 forbidden insufficient_scope')
})

test('a foreign token for another audience, or at a tenant that does not trust its issuer, is refused', async () => {
  const elsewhere = await foreign.token('https://elsewhere.example/r4', 'system/Patient.read')
  assert.equal(codeOf(await read(elsewhere)), '401 login invalid_token')
  assert.equal(codeOf(await read(elsewhere, 'strict')), '401 unknown invalid_token')
  const token = await foreign.token(base, 'system/Patient.read')
  assert.equal(codeOf(await read(token, 'neighbour')), '401 login invalid_token')
  assert.equal(codeOf(await read(token, 'nowhere')), '401 login invalid_token')
})

test('trust that is taken back ends with the next request', async () => {
  const token = await foreign.token(server.base('strict'), 'system/Patient.read')
  assert.equal(codeOf(await read(token, 'strict')), '404 not-found')
  await removeTrustedIssuer(server.pool, 'strict', foreign.issuer)
  assert.equal(codeOf(await read(token, 'strict')), '401 unknown invalid_token')
})

test('an opaque token is introspected at its issuer; one that it does not know is refused', async () => {
  const token = await foreign.token(server.base('opaque'), 'system/Patient.read')
  assert.ok(!token.includes('.'))
  assert.equal(codeOf(await read(token, 'opaque')), '404 not-found')
  assert.equal(codeOf(await read(`${token}x`, 'opaque')), '401 login invalid_token')
  const revoked = await foreign.token(server.base('opaque'), 'system/Patient.read')
  await foreign.revoke(revoked)
  assert.equal(codeOf(await read(revoked, 'opaque')), '401 login invalid_token')
})

test('an issuer that cannot be asked is 503, and our own tokens work all the same', async () => {
  assert.equal(codeOf(await read('opaque-token', 'silent')), '503 exception')
  const client = await server.addClient('silent')
  assert.equal(codeOf(await read(await server.token(client), 'silent')), '404 not-found')
})

test('whoever asks too much about tokens at one tenant does not keep another from the same issuer', async () => {
  const token = await foreign.token(server.base('opaque'), 'system/Patient.read')
  const madeUp = Array.from({ length: 200 }, (_, at) => read(`made-up-${at}`, 'silent'))
  for (const answer of await Promise.all(madeUp)) assert.equal(codeOf(answer), '503 exception')
  assert.equal(codeOf(await read(token, 'opaque')), '404 not-found')
})

const cerner = 'urn:com:cerner:authorization:claims'
const cerner1 = 'urn:cerner:authorization:claims:version:1'
const seconds = () => Math.floor(Date.now() / 1000)

/** A token as Oracle's documentation shows one: neither `aud` nor `scope`. */
const oracleToken = (claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}, key = oracleKey) =>
  new SignJWT({
    iss: oracle.issuer,
    sub: 'app',
    azp: 'app',
    jti: 'a',
    iat: seconds(),
    exp: seconds() + 600,
    [cerner]: { ver: '1.0', tnt: 'ec2458f2', azs: 'system/Patient.read system/Condition.read' },
    ...claims,
  })
    .setProtectedHeader({ alg: 'ES256', kid: '2026-11-23-ec', typ: 'JWT', ...header })
    .sign(key)

test("tokens that are shaped like Oracle's are understood, in both versions of the claims", async () => {
  assert.equal(codeOf(await read(await oracleToken())), '404 not-found')
  const version1 = {
    tenant: 'ec2458f2',
    client: { id: 'app' },
    profiles: { 'smart-v1': { azs: 'system/Patient.read' } },
  }
  const token = await oracleToken({ [cerner]: undefined, [cerner1]: version1 })
  assert.equal(codeOf(await read(token)), '404 not-found')
})

test("T-137: a token of Oracle's shape for another tenant is 403", async () => {
  assert.equal(codeOf(await read(await oracleToken(), 'neighbour')), '403 forbidden insufficient_scope')
  const torn = { [cerner1]: { tenant: 'other-tenant' } }
  assert.equal(codeOf(await read(await oracleToken(torn))), '403 forbidden insufficient_scope')
})

test('T-135: an expired foreign token is 401 expired', async () => {
  const token = await oracleToken({ exp: seconds() - 60 })
  assert.equal(codeOf(await read(token)), '401 expired invalid_token')
})

const stranger = generateKeyPair('ES256', { extractable: true })
const attacks: readonly (readonly [what: string, make: () => Promise<string>])[] = [
  ['no tenant', () => oracleToken({ [cerner]: { azs: 'system/Patient.read' } })],
  ['an aud', () => oracleToken({ aud: 'https://elsewhere.example' })],
  ['no exp', () => oracleToken({ exp: undefined })],
  ['a start ahead', () => oracleToken({ nbf: seconds() + 300 })],
  ['no client', () => oracleToken({ azp: undefined, sub: undefined })],
  ['a client with a control character', () => oracleToken({ azp: 'a\u0000b' })],
  ['another issuer', () => oracleToken({ iss: foreign.issuer })],
  ['an issuer that differs by a slash', () => oracleToken({ iss: oracle.issuer.replace(/\/$/, '') })],
  ['an unknown kid', () => oracleToken({}, { kid: 'unknown' })],
  ['the kind of an ID token that was logged out', () => oracleToken({}, { typ: 'logout+jwt' })],
  ['a jku', () => oracleToken({}, { jku: 'https://evil.example/jwks' })],
  ['the key of a stranger', async () => oracleToken({}, {}, (await stranger).privateKey)],
  [
    'a key of its own in the header',
    async () => oracleToken({}, { jwk: await exportJWK((await stranger).publicKey) }, (await stranger).privateKey),
  ],
]

for (const [what, make] of attacks) {
  test(`T-136: a foreign token with ${what} is 401`, async () => {
    assert.equal(codeOf(await read(await make())), '401 login invalid_token')
  })
}

test('no secret and no token is in the log', () => {
  for (const secret of [askingClient.secret, foreignClient.secret, 'eyJ']) assert.ok(!server.log.includes(secret))
})
