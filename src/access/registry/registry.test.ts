import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { JWK } from 'jose'
import type { Pool } from 'pg'
import { openTestStore, type TestStore } from '../../database/store.fixture.ts'
import { Failure } from '../../failure.ts'
import { AccessDirectory, directoryMsMax } from '../directory.ts'
import { loadSecret } from '../secret.ts'
import { loadSigningKeys } from '../tokens/signing-key.ts'
import { addClient, disableClient, findClient, listClients, type Registration } from './client.ts'
import { enableClient, replaceKeys } from './client-changes.ts'
import { generateClientKey } from './client-key.ts'
import { addTenant, changeTenant, findTenant, listTenants } from './tenant.ts'

let store: TestStore
let pool: Pool
let es: { readonly privateKey: JWK; readonly publicKey: JWK }
let rs: { readonly privateKey: JWK; readonly publicKey: JWK }

before(async () => {
  store = await openTestStore()
  pool = store.pool
  es = await generateClientKey('ES384')
  rs = await generateClientKey('RS384')
  await addTenant(pool, { id: 'clinic', profile: 'millennium' })
})
after(() => store.close())

const register = (change: Partial<Registration> = {}) =>
  addClient(pool, {
    tenant: 'clinic',
    name: 'app',
    scope: 'system/*.read',
    keys: { jwks: { keys: [es.publicKey] } },
    ...change,
  })

test('a tenant is added once and found by its exact id', async () => {
  await addTenant(pool, { id: 'ec2458f2-1e24-41c8-b71b-0e701af7583d', profile: 'hl7' })
  assert.equal((await findTenant(pool, 'ec2458f2-1e24-41c8-b71b-0e701af7583d'))?.profile, 'hl7')
  assert.equal(await findTenant(pool, 'Clinic'), undefined)
  assert.deepEqual(
    (await listTenants(pool)).map(({ id }) => id),
    ['clinic', 'ec2458f2-1e24-41c8-b71b-0e701af7583d'],
  )
  await assert.rejects(addTenant(pool, { id: 'clinic', profile: 'hl7' }), /exists already/)
  await assert.rejects(changeTenant(pool, 'clinic', { references: 'all' }), /Choose|followed/)
})

for (const id of ['', '.', '..', 'a/b', 'a b', 'a\u0000', 'é', 'x'.repeat(65)]) {
  test(`${JSON.stringify(id)} is no tenant id`, async () => {
    await assert.rejects(addTenant(pool, { id, profile: 'hl7' }), Failure)
    await assert.rejects(changeTenant(pool, id, { references: 'one-hop' }), Failure)
    assert.equal(await findTenant(pool, id), undefined)
  })
}

test('a client keeps its registration', async () => {
  const { id, created } = await register({ name: 'Ünïcode app', scope: ' system/Patient.rs  system/Goal.read ' })
  assert.deepEqual(await findClient(pool, id), {
    id,
    tenant: 'clinic',
    name: 'Ünïcode app',
    scopes: ['system/Patient.rs', 'system/Goal.read'],
    keys: { kind: 'inline', keys: [es.publicKey] },
    created,
    disabled: undefined,
  })
  assert.ok((await listClients(pool, 'clinic')).some((client) => client.id === id))
})

test('a text that cannot be a client id finds nothing', async () => {
  for (const id of ['', 'x', '\u0000', 'a'.repeat(10_000)]) assert.equal(await findClient(pool, id), undefined)
  await assert.rejects(disableClient(pool, 'x'), Failure)
})

/** A key of 2,048 bits whose exponent is this, in hexadecimal. */
const exponent = (hex: string): JWK => ({
  kty: 'RSA',
  kid: 'exponent',
  e: Buffer.from(hex, 'hex').toString('base64url'),
  n: Buffer.alloc(256, 0xab).toString('base64url'),
})
const short: JWK = { kty: 'RSA', kid: 'short', e: 'AQAB', n: Buffer.alloc(128, 0xab).toString('base64url') }
const refused: readonly (readonly [what: string, registration: () => Partial<Registration>, said: RegExp])[] = [
  ['an unknown tenant', () => ({ tenant: 'nowhere' }), /no tenant "nowhere"/],
  ['no name', () => ({ name: ' ' }), /name/],
  ['a name with a control character', () => ({ name: 'a\u001b[2J' }), /name/],
  ['no scope', () => ({ scope: ' ' }), /no scope/],
  ['commas between scopes', () => ({ scope: 'system/Patient.read,system/Goal.read' }), /not a scope/],
  ['a user scope', () => ({ scope: 'user/Patient.read' }), /only system/],
  [
    'a type that R4 does not have',
    () => ({ scope: 'system/Goal.read system/ServiceOrder.read' }),
    /no resource type ServiceOrder/,
  ],
  ['a type of R5', () => ({ scope: 'system/NutritionIntake.read' }), /no resource type NutritionIntake/],
  ['a type in small letters', () => ({ scope: 'system/patient.read' }), /not a scope/],
  ['a query that cannot be applied', () => ({ scope: 'system/Goal.rs?category:in=x' }), /":in" is not supported/],
  ['a query on every type', () => ({ scope: 'system/*.rs?_tag=a' }), /needs one resource type/],
  ['a query with write letters', () => ({ scope: 'system/Goal.cruds?category=a' }), /letters rs only/],
  ['no key set', () => ({ keys: { jwks: [] } }), /not a key set/],
  ['an empty key set', () => ({ keys: { jwks: { keys: [] } } }), /not a key set/],
  ['a private key', () => ({ keys: { jwks: { keys: [es.privateKey] } } }), /is private/],
  ['a symmetric key', () => ({ keys: { jwks: { keys: [{ kty: 'oct', kid: 'a', k: 'AA' }] } } }), /is private/],
  ['a key without kid', () => ({ keys: { jwks: { keys: [{ ...es.publicKey, kid: undefined }] } } }), /no kid/],
  ['twins', () => ({ keys: { jwks: { keys: [es.publicKey, es.publicKey] } } }), /Two keys/],
  ['a key off the curve', () => ({ keys: { jwks: { keys: [{ ...es.publicKey, x: 'AAAA' }] } } }), /cannot be used/],
  ...['01', '0001', '00', '02', '010000', `01${'00'.repeat(40)}01`].map(
    (hex) =>
      [
        `an RSA key with the exponent ${hex}`,
        () => ({ keys: { jwks: { keys: [exponent(hex)] } } }),
        /exponent|cannot be used/,
      ] as const,
  ),
  ['a short RSA key', () => ({ keys: { jwks: { keys: [short] } } }), /too short/],
  ['encryption keys only', () => ({ keys: { jwks: { keys: [{ ...es.publicKey, use: 'enc' }] } } }), /can sign/],
  ['a plain http URL', () => ({ keys: { jwksUrl: 'http://partner.example/jwks' } }), /URL of a key set/],
  ['a URL that looks local', () => ({ keys: { jwksUrl: 'http://localhost.example/jwks' } }), /URL of a key set/],
  ['a URL with a password', () => ({ keys: { jwksUrl: 'https://a:b@partner.example/jwks' } }), /URL of a key set/],
  ['a file URL', () => ({ keys: { jwksUrl: 'file:///etc/passwd' } }), /URL of a key set/],
]

for (const [what, change, said] of refused) {
  test(`a registration with ${what} is refused`, async () => {
    await assert.rejects(register(change()), (error) => error instanceof Failure && said.test(error.message))
  })
}

test('keys that cannot be used are ignored beside one that can', async () => {
  const others = [
    { kty: 'OKP', crv: 'Ed25519', x: 'AA', kid: 'ed' },
    { kty: 'FUTURE' },
    { ...rs.publicKey, use: 'enc', alg: 'RSA-OAEP', kid: es.publicKey.kid },
    { ...rs.publicKey, alg: 'PS512' },
    { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' },
  ]
  const { keys } = await register({ keys: { jwks: { keys: [...others, es.publicKey] } } })
  assert.deepEqual(keys, { kind: 'inline', keys: [es.publicKey] })
  await assert.rejects(register({ keys: { jwks: { keys: others } } }), /can sign/)
})

test('B2: RS384 and ES384 keys may be registered together, or by https or loopback URL', async () => {
  assert.equal((await register({ keys: { jwks: { keys: [es.publicKey, rs.publicKey] } } })).keys.kind, 'inline')
  for (const jwksUrl of ['https://partner.example/jwks.json', 'http://127.0.0.1:9/jwks', 'http://localhost/jwks']) {
    assert.deepEqual((await register({ keys: { jwksUrl } })).keys, { kind: 'url', url: jwksUrl })
  }
})

test('a generated pair is a private JWK and its bare public half under one kid', () => {
  for (const { privateKey, publicKey } of [es, rs]) {
    assert.equal(privateKey.kid, publicKey.kid)
    assert.equal(typeof privateKey.d, 'string')
    assert.ok(!Object.keys(publicKey).some((member) => ['d', 'p', 'q', 'dp', 'dq', 'qi'].includes(member)))
  }
})

test('disabling keeps the first time', async () => {
  const { id } = await register()
  const { disabled } = await disableClient(pool, id)
  assert.ok(disabled)
  assert.deepEqual((await disableClient(pool, id)).disabled, disabled)
})

test('the first signing key is made once, however many servers start', async () => {
  const loaded = await Promise.all(Array.from({ length: 6 }, () => loadSigningKeys(pool)))
  assert.equal(new Set(loaded.map(({ kid }) => kid)).size, 1)
  const published = loaded[0]!.published
  assert.equal(published.length, 1)
  assert.ok(!('d' in published[0]!))
})

test('a secret is made once, however many servers start', async () => {
  const secrets = await Promise.all(Array.from({ length: 6 }, () => loadSecret(pool, 'content-link')))
  assert.equal(new Set(secrets.map((secret) => secret.toString('hex'))).size, 1)
  assert.equal(secrets[0]?.length, 32)
})

test('the directory remembers tenants and keys for a while, and never a client', async () => {
  let ms = 0
  let queries = 0
  const counting = {
    query: ((...args: Parameters<Pool['query']>) => {
      queries++
      return pool.query(...args)
    }) as Pool['query'],
  }
  const directory = new AccessDirectory(counting, () => ms)
  const look = () => Promise.all([directory.tenant('brief'), directory.signingKeys()])
  assert.equal((await look())[0], undefined)
  const first = queries
  await addTenant(pool, { id: 'brief', profile: 'hl7' })
  ms = directoryMsMax - 1
  assert.equal((await look())[0], undefined)
  assert.equal(queries, first)
  ms = directoryMsMax
  assert.equal((await look())[0]?.profile, 'hl7')
  const { id } = await register()
  assert.equal((await directory.client(id))?.disabled, undefined)
  await disableClient(pool, id)
  assert.ok((await directory.client(id))?.disabled)
  await enableClient(pool, id)
  assert.equal((await directory.client(id))?.disabled, undefined)
})

test('keys are replaced, or put beside the old ones', async () => {
  const { id } = await register()
  const kids = async () => {
    const { keys } = (await findClient(pool, id))!
    return keys.kind === 'inline' ? keys.keys.map(({ kid }) => kid) : keys.kind === 'url' ? keys.url : keys.hash
  }
  const fresh = { jwks: { keys: [rs.publicKey] } }
  await replaceKeys(pool, id, fresh, true)
  assert.deepEqual(await kids(), [es.publicKey.kid, rs.publicKey.kid])
  await assert.rejects(replaceKeys(pool, id, fresh, true), /Two keys/)
  await replaceKeys(pool, id, fresh, false)
  assert.deepEqual(await kids(), [rs.publicKey.kid])
  const url = 'https://partner.example/jwks.json'
  await assert.rejects(replaceKeys(pool, id, { jwksUrl: url }, true), /registered inline/)
  await replaceKeys(pool, id, { jwksUrl: url }, false)
  assert.equal(await kids(), url)
  await assert.rejects(replaceKeys(pool, id, fresh, true), /registered inline/)
  await assert.rejects(replaceKeys(pool, id, { jwks: { keys: [es.privateKey] } }, false), /is private/)
  await replaceKeys(pool, id, { secretHash: 'scrypt$' }, false)
  assert.equal(await kids(), 'scrypt$')
})
