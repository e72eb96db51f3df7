import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import pino from 'pino'
import { addClient } from '../../src/access/registry/client.ts'
import { generateClientKey } from '../../src/access/registry/client-key.ts'
import { addTenant } from '../../src/access/registry/tenant.ts'
import { type App, startApp } from '../../src/app.ts'
import { requestToken } from '../../src/client/session/token.ts'
import { openTestStore, type TestStore } from '../../src/database/store.fixture.ts'
import { threadBounds } from '../../src/http/request-threads/request-thread-pool.ts'
import { operationsOf } from '../operations.ts'
import { letWritesWait } from '../patient-writes.ts'
import { type Answer, closeConnections, exchange } from '../scenarios/exchange.ts'

/** The program in this very process, so that what its answering thread does can be counted. */
let store: TestStore
let app: App
let token: string
let serial = 0

before(async () => {
  store = await openTestStore()
  app = await startApp({
    store: { kind: 'embedded', directory: store.directory },
    host: '127.0.0.1',
    port: 0,
    files: join(store.directory, 'files'),
    freeDiskBytes: 0,
    threads: 0,
    concurrency: 1,
    outbound: { privateAddresses: false },
    tokenSeconds: 86_400,
    log: pino({ level: 'silent' }),
  })
  await addTenant(store.pool, { id: 'clinic', profile: 'millennium' })
  token = await newToken()
})
after(async () => {
  closeConnections()
  await app?.close()
  await store?.close()
})

/** A token of a new client. */
async function newToken(): Promise<string> {
  const scope = 'system/*.read system/*.write'
  const { privateKey: key, publicKey } = await generateClientKey('ES384')
  const keys = { jwks: { keys: [publicKey] } }
  const { id: clientId } = await addClient(store.pool, { tenant: 'clinic', name: 'test', scope, keys })
  const asked = { base: `${app.publicUrl}/r4/clinic`, clientId, key, scope, signal: AbortSignal.timeout(60_000) }
  return (await requestToken(asked)).accessToken
}

const send = (method: string, path: string, body: string, by = token): Promise<Answer> =>
  exchange({
    method,
    url: `${app.publicUrl}/r4/clinic${path}`,
    headers: {
      authorization: `Bearer ${by}`,
      'content-type': 'application/fhir+json',
      accept: 'application/fhir+json',
      prefer: 'respond-async',
    },
    body,
  })

/** A record whose member `x` is this text. */
async function record(x: string, status = 201): Promise<void> {
  const id = `r${serial++}`
  const answer = await send('PUT', `/Basic/${id}`, `{"resourceType":"Basic","id":"${id}","x":${x}}`)
  assert.equal(answer.status, status, answer.body.toString().slice(0, 300))
}

const list = (item: string, count: number): string => `[${Array<string>(count).fill(item).join(',')}]`

/** What the answering thread does for any request that it hands over: some hundreds, where reading the smallest of them takes millions. */
const operationsMax = 2_000

const small = '{"a":"0123456789"}'

/** Requests that grow with `n`; for 1 their bodies are longer than what the answering thread reads. */
const shapes: Readonly<Record<string, (n: number) => Promise<void>>> = {
  'many small values': (n) => record(list(small, 15_000 * n)),
  'more values than may be': (n) => record(list('{}', 300_000 * n), 400),
  'one long string': (n) => record(`"${'a'.repeat(200_000 * n)}"`),
  'deep nesting': (n) => record(list(`${'['.repeat(90)}"${'a'.repeat(500)}"${']'.repeat(90)}`, 300 * n)),
  'many lines': (n) => record(list('{\n"a":\n"0123456789"}', 15_000 * n)),
  'a member that stands twice': (n) => record(`[${list(small, 15_000 * n)},{"a":1,"a":2}]`, 400),
  'a text that ends too early': (n) => record(`${list(small, 15_000 * n)},`, 400),
  'a conditional update': async (n) => {
    const id = `r${serial++}`
    const body = `{"resourceType":"Basic","id":"${id}","x":${list(small, 15_000 * n)}}`
    assert.equal((await send('PUT', `/Basic?identifier=http://x.example|${id}`, body)).status, 201)
  },
  'reading a large record': async (n) => {
    const id = `r${serial++}`
    const x = `"${'a'.repeat(300_000 * n)}"`
    assert.equal((await send('PUT', `/Basic/${id}`, `{"resourceType":"Basic","id":"${id}","x":${x}}`)).status, 201)
    const { status, body } = await send('GET', `/Basic/${id}`, '')
    assert.equal(status, 200)
    assert.ok(body.toString().includes(x))
  },
  'a Bundle of large entries': (n) => bundle(2, list(small, 7_000 * n)),
  'a kick-off of patients who are not there': async (n) => {
    const patients = Array.from({ length: 2_500 * n }, (_, at) => ({
      name: 'patient',
      valueReference: { reference: `Patient/nobody-${at}` },
    }))
    const body = JSON.stringify({ resourceType: 'Parameters', parameter: patients })
    assert.equal((await send('POST', '/Patient/$export', body)).status, 400)
  },
}

/** Writes so many records with a transaction. */
async function bundle(count: number, x: string): Promise<void> {
  const entries = Array.from({ length: count }, () => {
    const id = `r${serial++}`
    const resource = `{"resourceType":"Basic","id":"${id}","x":${x}}`
    return `{"request":{"method":"PUT","url":"Basic/${id}"},"resource":${resource}}`
  })
  const answer = await send('POST', '', `{"resourceType":"Bundle","type":"transaction","entry":[${entries.join(',')}]}`)
  assert.equal(answer.status, 200, answer.body.toString().slice(0, 300))
}

/** What the answering thread does for requests, without what it does by itself in as much time. */
async function operationsFor(work: () => Promise<void>): Promise<number> {
  const begun = performance.now()
  const all = await operationsOf(work)
  const ms = performance.now() - begun
  return all - (await operationsOf(() => pause(ms)))
}

const triesMax = 4

describe('the work of the answering thread does not grow with what a client sends', () => {
  for (const [shape, run] of Object.entries(shapes)) {
    test(shape, async (context) => {
      await run(1)
      let counts: number[] = []
      const grow = () => counts[3]! >= 2 * counts[0]!
      // What the server does now and then may fall into one time and not into the other: what grows does so each time.
      for (let tries = 0; tries < triesMax && (tries === 0 || grow()); tries++) {
        counts = []
        for (const n of [1, 2, 4, 8]) counts.push(await operationsFor(() => run(n)))
        context.diagnostic(`${counts}`)
      }
      assert.ok(!grow(), `${counts}`)
      assert.ok(Math.max(...counts) < operationsMax, `${counts}`)
    })
  }

  test('a Bundle of many entries: only the names of its records are looked at', async (context) => {
    const x = `"${'a'.repeat(1_000)}"`
    const counts: number[] = []
    for (const n of [1, 2, 4, 8]) counts.push(await operationsOf(() => bundle(250 * n, x)))
    context.diagnostic(`${counts}`)
    assert.ok((counts[3]! - counts[0]!) / (250 * 7) < operationsOfKeyMax, `${counts}`)
  })
})

/** What the gate of writes does for each record of a write. */
const operationsOfKeyMax = 20

test('a client may have so many costly requests, not one more, and that keeps no other from being answered', async () => {
  const [greedy, other] = [await newToken(), await newToken()]
  const put = (id: string, x: number, by: string) =>
    send('PUT', `/Basic/${id}`, `{"resourceType":"Basic","id":"${id}","x":${x}}${' '.repeat(150_000)}`, by)
  assert.equal((await put('held', 0, greedy)).status, 201)
  await letWritesWait(store.pool)
  const holder = await store.pool.connect()
  await holder.query('begin; set local idle_in_transaction_session_timeout = 0')
  await holder.query(`select from record where id = 'held' for update`)
  const allowed = threadBounds.runningOfClientMax + threadBounds.waitingOfClientMax
  const refused: Answer[] = []
  const { promise: threeRefused, resolve } = Promise.withResolvers<void>()
  const answers = Array.from({ length: allowed + 3 }, (_, at) =>
    put('held', at + 1, greedy).then((answer) => {
      if (answer.status === 429) refused.push(answer)
      if (refused.length === 3) resolve()
      return answer
    }),
  )
  try {
    await threeRefused
    assert.equal((await put('free', 0, other)).status, 201)
    assert.equal((await fetch(`${app.publicUrl}/livez`)).status, 200)
  } finally {
    await holder.query('rollback')
    holder.release()
  }
  const statuses = (await Promise.all(answers)).map(({ status }) => status)
  assert.equal(statuses.filter((status) => status === 200).length, allowed)
  assert.equal(refused.length, 3)
  for (const { headers } of refused) assert.match(String(headers['retry-after']), /^[1-9]\d*$/)
})
