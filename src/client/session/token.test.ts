import assert from 'node:assert/strict'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import { exportJWK, generateKeyPair, importJWK, type JWK, jwtVerify } from 'jose'
import { Failure } from '../../failure.ts'
import { documentedTypes } from '../../fhir/resource-types.ts'
import { readScopes, readSmartConfiguration, requestToken } from './token.ts'

type Respond = (response: ServerResponse) => unknown

const { signal } = new AbortController()
let server: Server
let base: string
let document: Respond
let grant: Respond
let form: URLSearchParams
let keys: Readonly<Record<'ES384' | 'RS384', { readonly privateJwk: JWK; readonly publicJwk: JWK }>>

const json = (status: number, body: unknown) => (response: ServerResponse) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))

async function makeKey(algorithm: string) {
  const pair = await generateKeyPair(algorithm, { extractable: true })
  const privateJwk = { ...(await exportJWK(pair.privateKey)), kid: `key-${algorithm}` }
  return { privateJwk, publicJwk: await exportJWK(pair.publicKey) }
}

before(async () => {
  keys = { ES384: await makeKey('ES384'), RS384: await makeKey('RS384') }
  server = createServer(async (request, response) => {
    if (request.url === '/r4/t/.well-known/smart-configuration') return document(response)
    form = new URLSearchParams(Buffer.concat(await request.toArray()).toString())
    grant(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/r4/t`
})
after(() => {
  server.closeAllConnections()
  server.close()
})
beforeEach(() => {
  document = json(200, { token_endpoint: `${base}/../../token`, scopes_supported: ['system/*.read'] })
  grant = json(200, { access_token: 'secret', token_type: 'Bearer', expires_in: 570, scope: 'system/Goal.read' })
})

const ask = (key: JWK = keys.ES384.privateJwk) =>
  requestToken({ base, clientId: 'app', key, scope: 'system/*.read', signal })

for (const algorithm of ['ES384', 'RS384'] as const) {
  test(`B7–B9: a token is asked for with an ${algorithm} assertion for the endpoint as the server spells it`, async () => {
    const { privateJwk, publicJwk } = keys[algorithm]
    assert.deepEqual(await ask(privateJwk), { accessToken: 'secret', expiresIn: 570, scope: 'system/Goal.read' })
    assert.equal(form.get('grant_type'), 'client_credentials')
    assert.equal(form.get('scope'), 'system/*.read')
    assert.equal(form.get('client_assertion_type'), 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
    const key = await importJWK(publicJwk, algorithm)
    const { payload, protectedHeader } = await jwtVerify(form.get('client_assertion') ?? '', key, {
      issuer: 'app',
      subject: 'app',
      audience: `${base}/../../token`,
      requiredClaims: ['jti'],
    })
    assert.deepEqual(protectedHeader, { alg: algorithm, kid: `key-${algorithm}`, typ: 'JWT' })
    const ahead = (payload.exp ?? 0) - (payload.iat ?? 0)
    assert.ok(ahead > 0 && ahead <= 300)
  })
}

test('each request has its own jti', async () => {
  const seen = new Set<string>()
  for (let count = 0; count < 3; count++) {
    await ask()
    seen.add(form.get('client_assertion') ?? '')
  }
  assert.equal(seen.size, 3)
})

test('a named token endpoint is used without discovery', async () => {
  document = json(500, {})
  const { host } = new URL(base)
  const place = { tokenEndpoint: `http://${host}/token` }
  const key = keys.ES384.privateJwk
  assert.equal((await requestToken({ ...place, clientId: 'app', key, scope: 'x', signal })).accessToken, 'secret')
})

test('an answer that says neither life nor scope is taken as 300 s of what was asked for', async () => {
  grant = json(200, { access_token: 'secret', token_type: 'bearer' })
  assert.deepEqual(await ask(), { accessToken: 'secret', expiresIn: 300, scope: 'system/*.read' })
})

const failures: readonly (readonly [what: string, change: { document?: Respond; grant?: Respond }, said: RegExp])[] = [
  [
    'a refusal',
    { grant: json(401, { error: 'invalid_client', error_description: 'no\u001b[2J key' }) },
    /HTTP 401\): invalid_client: no \[2J key/,
  ],
  ['an answer without token', { grant: json(200, {}) }, /gave no token/],
  ['an answer that is no JSON', { grant: (response) => response.end('<html>') }, /gave no token \(HTTP 200\)\.$/],
  ['no discovery document', { document: json(404, {}) }, /does not tell where tokens are given \(HTTP 404\)/],
  ['a document without endpoint', { document: json(200, { issuer: 'x' }) }, /does not tell/],
  ['an endpoint that is no address', { document: json(200, { token_endpoint: 'file:///x' }) }, /not a web address/],
  ['a closed connection', { document: (response) => response.destroy() }, /cannot be reached: ECONNRESET/],
  ['an endless answer', { document: (response) => response.end('x'.repeat(2 ** 21)) }, /longer than/],
]

for (const [what, change, said] of failures) {
  test(`${what} is a failure the operator can read`, async () => {
    document = change.document ?? document
    grant = change.grant ?? grant
    await assert.rejects(ask(), (error) => error instanceof Failure && said.test(error.message))
  })
}

const badKeys: readonly (readonly [what: string, key: () => JWK, said: RegExp])[] = [
  ['a public key', () => ({ ...keys.ES384.publicJwk, kid: 'a' }), /not a private key/],
  ['a key without kid', () => ({ ...keys.ES384.privateJwk, kid: '' }), /no kid/],
  ['a key of another curve', () => ({ ...keys.ES384.privateJwk, crv: 'P-256' }), /neither ES384 nor RS384/],
  ['a broken key', () => ({ ...keys.ES384.privateJwk, d: 'AAAA' }), /cannot be used/],
]

for (const [what, key, said] of badKeys) {
  test(`${what} is a failure the operator can read`, async () => {
    await assert.rejects(ask(key()), (error) => error instanceof Failure && said.test(error.message))
  })
}

test('a slash at the end of the base does not matter', async () => {
  assert.deepEqual((await readSmartConfiguration(`${base}/`, signal)).scopesSupported, ['system/*.read'])
})

test('an aborted request is not called a failure of the server', async () => {
  await assert.rejects(readSmartConfiguration(base, AbortSignal.abort()), { name: 'AbortError' })
})

test('to read everything: a wildcard where advertised, else each exportable type that is, else each by name', () => {
  assert.equal(readScopes(['system/Patient.read', 'system/*.rs']), 'system/*.rs')
  assert.equal(
    readScopes([
      'system/Claim.read',
      'system/Goal.rs',
      'system/Patient.rs',
      'system/Patient.read',
      'system/Device.write',
      'system/Vehicle.read',
    ]),
    'system/Patient.read system/Goal.rs system/Claim.read',
  )
  assert.equal(readScopes([]), documentedTypes.map((type) => `system/${type}.read`).join(' '))
})
