import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { decodeProtectedHeader, type JWK } from 'jose'
import { addClient, disableClient } from '../src/access/registry/client.ts'
import { generateClientKey } from '../src/access/registry/client-key.ts'
import { addTenant } from '../src/access/registry/tenant.ts'
import { listSigningKeys, rotateSigningKey } from '../src/access/tokens/signing-key-rotation.ts'
import { transaction } from '../src/database/connection.ts'
import { openTestStore, type TestStore } from '../src/database/store.fixture.ts'
import { type Answer, closeConnections, exchange } from './scenarios/exchange.ts'
import { assertionOf, oauthBody, postForm, tokenForm } from './token-request.ts'

const program = fileURLToPath(new URL('../src/main.ts', import.meta.url))
/** Both servers have one name, as behind a load balancer. */
const publicUrl = 'https://millrace.example'
const tokenPath = '/oauth2/clinic/token'

let store: TestStore
const processes: ChildProcess[] = []
let servers: readonly string[]

before(async () => {
  store = await openTestStore()
  await addTenant(store.pool, { id: 'clinic', profile: 'millennium' })
  servers = [await startServer(), await startServer()]
})
after(async () => {
  closeConnections()
  await Promise.all(processes.map(ended))
  await store.close()
})

/** A server of the store that is told only where the database is. Resolves when it takes requests. */
async function startServer(): Promise<string> {
  const { host = '', user, database: name, port } = store.connection
  const url = `postgresql://${user}@localhost/${name}?host=${encodeURIComponent(host)}&port=${port ?? 5432}`
  const listening = String(await freePort())
  const flags = ['--database-url', url, '--public-url', publicUrl, '--port', listening, '--workers', '1']
  const child = spawn(process.execPath, [program, 'serve', ...flags, '--files', join(store.directory, 'files')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  processes.push(child)
  await new Promise<void>((resolve, reject) => {
    let text = ''
    child.stderr.on('data', (chunk) => {
      text += chunk
      if (text.includes('Millrace serves')) resolve()
    })
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${text}`)))
  })
  return `http://127.0.0.1:${listening}`
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

const ended = (child: ChildProcess): Promise<unknown> => {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  return gone
}

async function newClient(): Promise<{ readonly id: string; readonly key: JWK }> {
  const { privateKey, publicKey } = await generateClientKey('ES384')
  const keys = { jwks: { keys: [publicKey] } }
  const registration = { tenant: 'clinic', name: 'two', scope: 'system/Patient.read', keys }
  const { id } = await addClient(store.pool, registration)
  return { id, key: privateKey }
}

const assertionFor = (client: { id: string; key: JWK }) => assertionOf(client, `${publicUrl}${tokenPath}`)
const tokenAt = async (server: string, client: { id: string; key: JWK }): Promise<string> =>
  String(oauthBody(await postForm(`${server}${tokenPath}`, tokenForm(await assertionFor(client)))).access_token)
const read = (server: string, token: string): Promise<Answer> =>
  exchange({ method: 'GET', url: `${server}/r4/clinic/Patient/none`, headers: { authorization: `Bearer ${token}` } })

test('B10: one assertion that comes to two servers at once is accepted by one of them', async () => {
  const client = await newClient()
  for (let round = 0; round < 5; round++) {
    const form = tokenForm(await assertionFor(client))
    const answers = await Promise.all([...servers, ...servers].map((server) => postForm(`${server}${tokenPath}`, form)))
    const statuses = answers.map(({ status }) => status).sort()
    assert.deepEqual(statuses, [200, 401, 401, 401])
  }
})

test('a token of one server opens the other, until its client is disabled: then no server takes it', async () => {
  const client = await newClient()
  const token = await tokenAt(servers[0]!, client)
  for (const server of servers) assert.equal((await read(server, token)).status, 404)
  await disableClient(store.pool, client.id)
  for (const server of servers) assert.equal((await read(server, token)).status, 401)
  for (const server of servers) {
    const answer = await postForm(`${server}${tokenPath}`, tokenForm(await assertionFor(client)))
    assert.equal(oauthBody(answer).error, 'invalid_client')
  }
})

async function publishedKeys(server: string): Promise<readonly JWK[]> {
  const answer = await exchange({ method: 'GET', url: `${server}/oauth2/clinic/jwks`, headers: {} })
  assert.equal(answer.status, 200, answer.body.toString('utf8'))
  return (JSON.parse(answer.body.toString('utf8')) as { keys: JWK[] }).keys
}

test('servers see a rotation without a restart: the new key signs on both, and tokens of the old one live on', async () => {
  const client = await newClient()
  const old = await tokenAt(servers[0]!, client)
  const kid = await transaction(store.pool, async (connection) => {
    const next = await rotateSigningKey(connection, { algorithm: 'ES256', afterSeconds: 10 })
    // As if the ten seconds were over.
    await connection.query(`update signing_key set signs_from = signs_from - interval '10 s'`)
    return next.kid
  })
  for (const server of servers) {
    let keys = await publishedKeys(server)
    while (!keys.some((key) => key.kid === kid)) {
      // Well below the rate at which the server refuses an address.
      await pause(50)
      keys = await publishedKeys(server)
    }
    assert.deepEqual(keys.map(({ alg }) => alg).sort(), ['ES256', 'ES384'])
    assert.ok(keys.every((key) => !('d' in key)))
    const header = decodeProtectedHeader(await tokenAt(server, client))
    assert.deepEqual([header.kid, header.alg], [kid, 'ES256'])
    assert.equal((await read(server, old)).status, 404)
  }
  for (const server of servers) assert.equal((await read(server, await tokenAt(servers[0]!, client))).status, 404)
  assert.deepEqual(
    (await listSigningKeys(store.pool)).map(({ state }) => state),
    ['retired', 'signing'],
  )
})
