import assert from 'node:assert/strict'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Command } from 'commander'
import { authenticate } from '../access/bearer.ts'
import { AccessDirectory } from '../access/directory.ts'
import { KeySets } from '../access/issuers/key-sets.ts'
import { OutsideIssuers } from '../access/issuers/outside-issuers.ts'
import { SecretChecks } from '../access/registry/client-secret.ts'
import { issueToken } from '../access/tokens/token-endpoint.ts'
import { TokenLimits } from '../access/tokens/token-limits.ts'
import { openTestStore, type TestStore } from '../database/store.fixture.ts'
import { Failure } from '../failure.ts'
import { tokenEndpoint } from '../fhir/service-urls.ts'
import { clientCommand } from './client/client.ts'
import { tokenCommand } from './export/token.ts'
import { tenantCommand } from './tenant/tenant.ts'

let store: TestStore
let server: Server
let publicUrl: string
let keySets: KeySets

/** Runs one command line against the test's store; standard output is the result. */
async function run(...line: string[]): Promise<string> {
  const written: string[] = []
  const output = { write: (text: string) => written.push(text) }
  const environment = { MILLRACE_DATA: store.directory, MILLRACE_PUBLIC_URL: publicUrl }
  const commands: Readonly<Record<string, () => Command>> = {
    tenant: () => tenantCommand(environment, output),
    client: () => clientCommand(environment, output),
    token: () => tokenCommand(output),
  }
  const [name = '', ...rest] = line
  await commands[name]?.().parseAsync(rest, { from: 'user' })
  return written.join('')
}

before(async () => {
  // Held open, so that each command joins the running database, as beside a server.
  store = await openTestStore()
  const elapsed = () => performance.now()
  const access = new AccessDirectory(store.pool, elapsed)
  keySets = new KeySets(elapsed, { privateAddresses: false })
  const secrets = new SecretChecks()
  const limits = new TokenLimits(elapsed)
  server = createServer(async (request, response) => {
    if (request.method === 'GET') {
      const configuration = { token_endpoint: tokenEndpoint(publicUrl, 'clinic'), scopes_supported: ['system/*.read'] }
      return response.end(JSON.stringify(configuration))
    }
    const body = Buffer.concat(await request.toArray()).toString()
    const services = { database: store.pool, directory: access, keySets, secrets, limits, tokenSeconds: 300 }
    const { 'content-type': contentType, authorization } = request.headers
    const answer = await issueToken(
      { contentType, authorization, body, address: '192.0.2.1' },
      { ...services, publicUrl, tenant: 'clinic', now: new Date(), wildcards: true },
    )
    response
      .writeHead('status' in answer ? answer.status : 200)
      .end(JSON.stringify('response' in answer ? answer.response : answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  publicUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await run('tenant', 'add', 'clinic', '--profile', 'hl7')
})
after(async () => {
  server.closeAllConnections()
  server.close()
  await store.close()
})

const add = (...rest: string[]) =>
  run('client', 'add', '--tenant', 'clinic', '--name', 'app', '--scope', 'system/*.read', ...rest)

for (const algorithm of ['ES384', 'RS384']) {
  test(`from a new ${algorithm} client to a token that opens the server`, async () => {
    const file = join(store.directory, `${algorithm}.jwk.json`)
    const { client_id, kid, ...rest } = JSON.parse(await add('--generate-key', file, '--alg', algorithm, '--json'))
    assert.deepEqual(rest, {
      tenant: 'clinic',
      name: 'app',
      scope: 'system/*.read',
      key_file: file,
      fhir_base: `${publicUrl}/r4/clinic`,
      token_endpoint: `${publicUrl}/oauth2/clinic/token`,
    })
    const key = JSON.parse(await readFile(file, 'utf8'))
    assert.deepEqual([key.kid, key.alg, typeof key.d], [kid, algorithm, 'string'])
    assert.equal((await stat(file)).mode & 0o777, 0o600)

    const token = await run('token', '--client-id', client_id, '--key', file, '--server', rest.fhir_base)
    assert.match(token, /^[\w.-]+\n$/)
    const grant = await authenticate(`Bearer ${token.trim()}`, {
      directory: new AccessDirectory(store.pool, () => performance.now()),
      outside: new OutsideIssuers(
        store.pool,
        keySets,
        { privateAddresses: false },
        () => new Date(),
        () => performance.now(),
      ),
      publicUrl,
      tenant: 'clinic',
      wildcards: true,
      now: new Date(),
    })
    assert.ok('canRead' in grant && grant.canRead('Patient') && grant.client === client_id)
  })
}

test('a token can be had as JSON, for a named scope, at a named endpoint', async () => {
  const file = join(store.directory, 'named.jwk.json')
  const { client_id, token_endpoint } = JSON.parse(await add('--generate-key', file, '--json'))
  const words = ['--client-id', client_id, '--key', file, '--token-endpoint', token_endpoint]
  const { access_token, ...rest } = JSON.parse(await run('token', ...words, '--scope', 'system/Goal.rs', '--json'))
  assert.equal(typeof access_token, 'string')
  assert.deepEqual(rest, { token_type: 'bearer', expires_in: 300, scope: 'system/Goal.rs' })
})

test('only the public key is stored', async () => {
  await add('--generate-key', join(store.directory, 'public-only.jwk.json'))
  const { rows } = await store.pool.query('select jwks::text from client where jwks is not null')
  assert.ok(rows.length > 0)
  for (const { jwks } of rows) assert.doesNotMatch(jwks, /"(d|p|q|dp|dq|qi)":/)
})

test('what is printed for people names the next command, with the flags it needs', async () => {
  const file = join(store.directory, "it's.jwk.json")
  const text = await add('--generate-key', file)
  assert.match(
    text,
    /bin\/millrace token --server http:\S+\/r4\/clinic --client-id \S+ --key '\S+it'\\''s.jwk.json'\n$/,
  )
})

test('a key file is never overwritten', async () => {
  const file = join(store.directory, 'precious')
  await writeFile(file, 'mine')
  await assert.rejects(add('--generate-key', file), /exists already/)
  assert.equal(await readFile(file, 'utf8'), 'mine')
})

test('a registration that fails leaves no key file', async () => {
  const file = join(store.directory, 'unused.jwk.json')
  const words = ['--name', 'app', '--scope', 'system/*.read', '--generate-key', file]
  await assert.rejects(run('client', 'add', '--tenant', 'nowhere', ...words), /no tenant "nowhere"/)
  await assert.rejects(stat(file), { code: 'ENOENT' })
})

test('--jwks takes a file or a URL', async () => {
  const file = join(store.directory, 'source.jwk.json')
  await add('--generate-key', file)
  const { kty, crv, x, y, kid } = JSON.parse(await readFile(file, 'utf8'))
  const set = join(store.directory, 'set.json')
  await writeFile(set, JSON.stringify({ keys: [{ kty, crv, x, y, kid }] }))
  assert.equal(JSON.parse(await add('--jwks', set, '--json')).key_file, undefined)
  const url = 'https://partner.example/jwks.json'
  assert.equal(JSON.parse(await add('--jwks', url, '--json')).jwks_url, url)
  assert.match(await add('--jwks', 'http://localhost:9/jwks'), /only with --allow-private-addresses\.\n$/)
})

test('--secret makes a secret that is shown once and gets a token', async () => {
  const { client_id, client_secret, token_endpoint } = JSON.parse(await add('--secret', '--json'))
  const form = new URLSearchParams({ grant_type: 'client_credentials', scope: 'system/Goal.read' })
  const authorization = `Basic ${btoa(`${client_id}:${client_secret}`)}`
  const answer = await fetch(token_endpoint, { method: 'POST', body: form, headers: { authorization } })
  assert.equal(((await answer.json()) as { scope: string }).scope, 'system/Goal.read')
  assert.ok(!(await run('client', 'list', '--tenant', 'clinic', '--json')).includes(client_secret))
  const text = await add('--secret')
  assert.match(text, /client secret +[\w-]{43}\n/)
  assert.match(text, /curl -u [0-9a-f-]{36} .* \S+\/oauth2\/clinic\/token\n$/)
})

for (const [what, words, said] of [
  ['a key and a secret', ['--secret', '--jwks', 'a'], /one way/],
  ['no keys', [], /one way/],
  ['keys from two places', ['--jwks', 'a', '--generate-key', 'b'], /one way/],
  ['a key set that is not there', ['--jwks', '/nonexistent/set.json'], /cannot be read: ENOENT/],
  ['a file where nobody can write', ['--generate-key', '/nonexistent/key.json'], /cannot be written/],
  ['a bad public URL', ['--generate-key', 'b', '--public-url', 'ftp://x'], /--public-url is not/],
] as const) {
  test(`client add with ${what} is a failure`, async () => {
    await assert.rejects(add(...words), (error) => error instanceof Failure && said.test(error.message))
  })
}

test('clients are listed, and shown as disabled once they are', async () => {
  const { client_id } = JSON.parse(await add('--generate-key', join(store.directory, 'listed.jwk.json'), '--json'))
  assert.match(await run('client', 'list', '--tenant', 'clinic'), new RegExp(`^${client_id} +app +active`, 'm'))
  assert.match(await run('client', 'disable', client_id), /Disabled client/)
  assert.match(await run('client', 'list', '--tenant', 'clinic'), new RegExp(`^${client_id} +app +disabled`, 'm'))
  const { clients } = JSON.parse(await run('client', 'list', '--tenant', 'clinic', '--json'))
  const shown = clients.find((client: { client_id: string }) => client.client_id === client_id)
  assert.equal(typeof shown.disabled, 'string')
  await assert.rejects(run('client', 'list', '--tenant', 'nowhere'), /no tenant/)
})

test('tenants are added and listed', async () => {
  assert.deepEqual(JSON.parse(await run('tenant', 'add', 'second', '--json')), {
    tenant: 'second',
    profile: 'millennium',
    strict: false,
    references: 'one-hop',
  })
  const header = /^TENANT +PROFILE +REFERENCES +CREATED\nclinic +hl7 +one-hop .*\nsecond +millennium +one-hop /
  assert.match(await run('tenant', 'list'), header)
  const { tenants } = JSON.parse(await run('tenant', 'list', '--json'))
  assert.deepEqual(
    tenants.map(({ tenant }: { tenant: string }) => tenant),
    ['clinic', 'second'],
  )
})

test('how a tenant follows references is set when it is added and later (O-14)', async () => {
  const third = { tenant: 'third', profile: 'millennium', strict: false, references: 'transitive' }
  assert.deepEqual(JSON.parse(await run('tenant', 'add', 'third', '--references', 'transitive', '--json')), third)
  assert.match(await run('tenant', 'set', 'third', '--references', 'one-hop'), /exports follow references one-hop/)
  assert.match(await run('tenant', 'list'), /^third +millennium +one-hop /m)
  assert.deepEqual(JSON.parse(await run('tenant', 'set', 'third', '--references', 'transitive', '--json')), third)
  await assert.rejects(run('tenant', 'set', 'nowhere', '--references', 'transitive'), /no tenant "nowhere"/)
})

test('a tenant is strict from the start or later, and the list tells; profile hl7 has no strict form', async () => {
  assert.match(await run('tenant', 'add', 'exact', '--strict'), /^Added tenant exact, profile millennium, strict\.\n/)
  assert.match(await run('tenant', 'list'), /^exact +millennium, strict +one-hop /m)
  assert.match(await run('tenant', 'set', 'exact', '--no-strict'), /^Tenant exact is served with profile millennium; /)
  assert.deepEqual(JSON.parse(await run('tenant', 'set', 'exact', '--strict', '--json')), {
    tenant: 'exact',
    profile: 'millennium',
    strict: true,
    references: 'one-hop',
  })
  await assert.rejects(run('tenant', 'set', 'exact'), /nothing to change/)
  await assert.rejects(run('tenant', 'set', 'nowhere', '--strict'), /no tenant "nowhere"/)
  await assert.rejects(run('tenant', 'set', 'clinic', '--strict'), /hl7 has no strict form/)
  await assert.rejects(run('tenant', 'add', 'other', '--profile', 'hl7', '--strict'), /hl7 has no strict form/)
})

test('token without a server, or with a key file that is none, is a failure', async () => {
  const file = join(store.directory, 'token.jwk.json')
  await add('--generate-key', file)
  await assert.rejects(run('token', '--client-id', 'x', '--key', file), /server is not named/)
  await assert.rejects(
    run('token', '--client-id', 'x', '--key', join(store.directory, 'none')),
    /cannot be read \(ENOENT\)/,
  )
  await writeFile(join(store.directory, 'text'), 'secret words')
  const failed = run('token', '--client-id', 'x', '--key', join(store.directory, 'text'))
  await assert.rejects(failed, (error: Error) => /not JSON/.test(error.message) && !error.message.includes('secret'))
})
