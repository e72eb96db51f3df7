import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { loadSigningKeys } from '../access/tokens/signing-key.ts'
import { openTestStore, type TestStore } from '../database/store.fixture.ts'
import { Failure } from '../failure.ts'
import { issuerCommand } from './issuer.ts'
import { keyCommand } from './key.ts'
import { tenantCommand } from './tenant/tenant.ts'

let store: TestStore

/** Runs one command line against the test's store; standard output is the result. */
async function run(name: 'tenant' | 'issuer' | 'key', ...line: string[]): Promise<string> {
  const written: string[] = []
  const output = { write: (text: string) => written.push(text) }
  const environment = { MILLRACE_DATA: store.directory, MILLRACE_PUBLIC_URL: 'https://millrace.example' }
  const commands = { tenant: tenantCommand, issuer: issuerCommand, key: keyCommand }
  await commands[name](environment, output).parseAsync(line, { from: 'user' })
  return written.join('')
}

before(async () => {
  store = await openTestStore()
  await run('tenant', 'add', 'clinic')
})
after(() => store.close())

const add = (issuer: string, ...rest: string[]) => run('issuer', 'add', '--tenant', 'clinic', issuer, ...rest)
const issuer = 'https://login.example'

test('an issuer is added with the FHIR base as audience, listed, and removed', async () => {
  const { created, ...added } = JSON.parse(await add(issuer, '--jwks-url', `${issuer}/jwks`, '--json'))
  assert.equal(typeof created, 'string')
  assert.deepEqual(added, {
    tenant: 'clinic',
    issuer,
    jwks_url: `${issuer}/jwks`,
    algorithms: ['RS256', 'RS384', 'ES256', 'ES384'],
    audience: 'https://millrace.example/r4/clinic',
    foreign_tenant: 'clinic',
  })
  assert.match(
    await run('issuer', 'list', '--tenant', 'clinic'),
    /^https:\/\/login.example +keys +https:\S+jwks +https/m,
  )
  await assert.rejects(add(issuer, '--jwks-url', `${issuer}/jwks`), /already/)
  await run('issuer', 'remove', '--tenant', 'clinic', issuer)
  assert.match(await run('issuer', 'list', '--tenant', 'clinic'), /this server only/)
  await assert.rejects(run('issuer', 'remove', '--tenant', 'clinic', issuer), /does not trust/)
})

test("an issuer of tokens of Oracle's shape, and one that is asked", async () => {
  const oracle = ['--jwks-url', 'https://authorization.cerner.com/jwk', '--no-audience', '--foreign-tenant', 'ec2458f2']
  const added = JSON.parse(await add('https://authorization.cerner.com/', ...oracle, '--alg', 'ES256', '--json'))
  assert.deepEqual([added.audience, added.foreign_tenant, added.algorithms], [null, 'ec2458f2', ['ES256']])
  const file = join(store.directory, 'secret.txt')
  await writeFile(file, 'hush, hush\n')
  const asked = ['--introspection-url', `${issuer}/introspect`, '--introspection-client', 'millrace']
  await add(issuer, ...asked, '--introspection-secret-file', file)
  const listed = await run('issuer', 'list', '--tenant', 'clinic', '--json')
  assert.deepEqual(JSON.parse(listed).issuers[1].introspection_client, 'millrace')
  assert.ok(!listed.includes('hush'))
  const { rows } = await store.pool.query('select introspection_secret from trusted_issuer where issuer = $1', [issuer])
  assert.deepEqual(rows, [{ introspection_secret: 'hush, hush' }])
})

test('a tenant trusts at most five issuers', async () => {
  await run('tenant', 'add', 'many')
  const addTo = (n: number) =>
    run('issuer', 'add', '--tenant', 'many', `https://login${n}.example`, '--jwks-url', 'https://login.example/jwks')
  for (const n of [1, 2, 3, 4, 5]) await addTo(n)
  await assert.rejects(addTo(6), /5 issuers, already/)
})

for (const [what, name, words, said] of [
  ['no way to check', issuer, [], /checked in one way/],
  ['two ways', issuer, ['--jwks-url', 'https://a.example', '--introspection-url', 'https://a.example'], /in one way/],
  ['no client to ask with', issuer, ['--introspection-url', 'https://a.example'], /client to ask with/],
  ['an issuer that is no URL', 'login', ['--jwks-url', 'https://a.example'], /cannot be an issuer/],
  ['an issuer with a query', `${issuer}?x`, ['--jwks-url', 'https://a.example'], /cannot be an issuer/],
  ['our own issuer', 'https://millrace.example/oauth2/clinic', ['--jwks-url', 'https://a.example'], /tenant itself/],
  ['keys over plain http', issuer, ['--jwks-url', 'http://a.example'], /URL of a key set/],
  ['an empty audience', issuer, ['--jwks-url', 'https://a.example', '--audience', ''], /empty or too long/],
] as const) {
  test(`issuer add with ${what} is a failure`, async () => {
    await assert.rejects(add(name, ...words), (error) => error instanceof Failure && said.test(error.message))
  })
}

test('keys are listed, rotated and removed', async () => {
  assert.match(await run('key', 'list'), /no key yet/)
  await loadSigningKeys(store.pool)
  const next = JSON.parse(await run('key', 'rotate', '--alg', 'ES256', '--after', '3600', '--json'))
  assert.deepEqual([next.algorithm, next.state, next.verifies_until], ['ES256', 'next', null])
  const { keys } = JSON.parse(await run('key', 'list', '--json'))
  assert.deepEqual(
    keys.map(({ state }: { state: string }) => state),
    ['signing', 'next'],
  )
  assert.match(await run('key', 'list'), new RegExp(`^${next.kid} +ES256 +next `, 'm'))
  await assert.rejects(run('key', 'rotate'), /is waiting/)
  await assert.rejects(run('key', 'remove', keys[0].kid, '--force'), /signs the tokens/)
  assert.match(await run('key', 'remove', next.kid), /^Removed key/)
  assert.match(await run('key', 'rotate'), /^Key \S+ \(ES384\) signs from /)
})
