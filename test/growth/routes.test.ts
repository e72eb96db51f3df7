import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import pg from 'pg'
import pino from 'pino'
import { addClient } from '../../src/access/registry/client.ts'
import { generateClientKey } from '../../src/access/registry/client-key.ts'
import { addTenant } from '../../src/access/registry/tenant.ts'
import { type App, startApp } from '../../src/app.ts'
import { requestToken } from '../../src/client/session/token.ts'
import { openTestStore, type TestStore } from '../../src/database/store.fixture.ts'
import { closeConnections, exchange } from '../scenarios/exchange.ts'
import { assertLinear, leastOf, workOf } from './growth.ts'
import { many } from './shapes.ts'

/** Pieces of the smallest request. */
const size = 50

/**
 * Work of a request that has nothing to do with its size: headers, tokens, the statements of any transaction. The server also looks after
 * itself while it is measured.
 */
const workOfAny = 40_000

/** What a statement, and a row that one gives, count beside the blocks of the server's code. */
const [statementWork, rowWork] = [500, 20]

let sqlWork = 0

/** Lets every statement of this process count, with the rows that it gives or changes. */
function countStatements(): void {
  const inherited = pg.Client.prototype.query as (...given: unknown[]) => unknown
  pg.Client.prototype.query = function counted(this: pg.Client, ...given: unknown[]) {
    sqlWork += statementWork
    const result = Reflect.apply(inherited, this, given)
    if (result instanceof Promise)
      result.then(
        (done: { rowCount?: number | null }) => {
          sqlWork += (done?.rowCount ?? 0) * rowWork
        },
        () => {},
      )
    return result
  } as typeof pg.Client.prototype.query
}

let store: TestStore
let app: App
let headers: Readonly<Record<string, string>>
let base: string
const client = { id: '' }

before(async () => {
  store = await openTestStore()
  app = await startApp({
    store: { kind: 'embedded', directory: store.directory },
    host: '127.0.0.1',
    port: 0,
    rates: { client: undefined, address: undefined, poll: undefined },
    freeDiskBytes: 0,
    files: join(store.directory, 'files'),
    threads: 1,
    concurrency: 1,
    outbound: { privateAddresses: false },
    tokenSeconds: 86_400,
    log: pino({ level: 'silent' }),
  })
  await addTenant(store.pool, { id: 'clinic', profile: 'hl7' })
  const { privateKey: key, publicKey } = await generateClientKey('ES384')
  const scope = 'system/*.read system/*.write system/AuditEvent.read'
  const added = await addClient(store.pool, {
    tenant: 'clinic',
    name: 'c',
    scope,
    keys: { jwks: { keys: [publicKey] } },
  })
  client.id = added.id
  base = `${app.publicUrl}/r4/clinic`
  const signal = AbortSignal.timeout(60_000)
  const { accessToken } = await requestToken({ base, clientId: added.id, key, scope, signal })
  headers = {
    authorization: `Bearer ${accessToken}`,
    accept: 'application/fhir+json',
    prefer: 'respond-async, handling=lenient',
  }
  countStatements()
})
after(async () => {
  closeConnections()
  await app.close()
  await store.close()
})

interface Asked {
  readonly method: string
  readonly path: string
  readonly body?: object
  readonly status: number
}

async function ask({ method, path, body, status }: Asked): Promise<string | undefined> {
  const sent = body === undefined ? undefined : JSON.stringify(body)
  const type = sent === undefined ? {} : { 'content-type': 'application/fhir+json' }
  const answer = await exchange({ method, url: `${base}${path}`, headers: { ...headers, ...type }, body: sent })
  assert.equal(answer.status, status, `${method} ${path.slice(0, 100)}: ${answer.body.toString().slice(0, 300)}`)
  const location = answer.headers['content-location']
  return typeof location === 'string' ? new URL(location).pathname.replace('/r4/clinic', '') : undefined
}

/** The work of one request, blocks and statements. */
async function workOfRequest(
  asked: Asked,
  before?: () => Promise<unknown>,
  after?: (location: string | undefined) => Promise<unknown>,
): Promise<number> {
  await before?.()
  sqlWork = 0
  let location: string | undefined
  const work = await workOf(async () => {
    location = await ask(asked)
  })
  const all = work + sqlWork
  await after?.(location)
  return all
}

const cancelled = async (job: string | undefined) => ask({ method: 'DELETE', path: job!, status: 202 })
const kickOff = (parameter: readonly object[]): Asked => ({
  method: 'POST',
  path: '/Patient/$export',
  body: { resourceType: 'Parameters', parameter },
  status: 202,
})
const fresh = () => randomUUID()
const bundle = (type: string, entry: readonly object[]): Asked => ({
  method: 'POST',
  path: '',
  body: { resourceType: 'Bundle', type, entry },
  status: 200,
})

/** A job of the client that has ended, with so many files. */
async function finishedJob(files: number): Promise<string> {
  const id = fresh()
  await store.pool.query(
    `insert into job (id, tenant, client, state, request, url, transaction_time, created, finished, expires)
     values ($1, 'clinic', $2, 'completed', $3, 'http://x/', now(), now(), now(), now() + interval '1 day')`,
    [
      id,
      client.id,
      JSON.stringify({ types: ['Patient'], filters: {}, base, warnings: [], provenance: 'relevant', lenient: false }),
    ],
  )
  await store.pool.query(
    `insert into part (id, job, partition, number, kind, type, path, records, bytes, gzip_bytes)
     select gen_random_uuid(), $1, n, 0, 'output', 'Patient', 'x' || n, 1, 1, 1 from generate_series(1, $2) n`,
    [id, files],
  )
  return id
}

/** What of a request or of the store grows, and the work that it takes. */
const growing: Readonly<Record<string, (pieces: number) => Promise<number>>> = {
  'patients of a kick-off, whom nobody knows': (pieces) =>
    workOfRequest(
      kickOff(many(pieces, () => ({ name: 'patient', valueReference: { reference: `Patient/${fresh()}` } }))),
      undefined,
      cancelled,
    ),
  'filters of a kick-off': (pieces) =>
    workOfRequest(
      {
        ...kickOff([
          { name: 'patient', valueReference: { reference: 'Patient/1' } },
          ...many(pieces, (at) => ({ name: '_typeFilter', valueString: `Condition?code=${at}` })),
        ]),
      },
      undefined,
      cancelled,
    ),
  'entries of a batch': (pieces) =>
    workOfRequest(
      bundle(
        'batch',
        many(pieces, () => {
          const id = fresh()
          return { resource: { resourceType: 'Patient', id }, request: { method: 'PUT', url: `Patient/${id}` } }
        }),
      ),
    ),
  'entries of a transaction that refer to one another': (pieces) => {
    const urls = many(pieces, () => `urn:uuid:${fresh()}`)
    return workOfRequest(
      bundle(
        'transaction',
        urls.map((fullUrl, at) => ({
          fullUrl,
          resource:
            at === 0 ? { resourceType: 'Patient' } : { resourceType: 'Condition', subject: { reference: urls[0] } },
          request: { method: 'POST', url: at === 0 ? 'Patient' : 'Condition' },
        })),
      ),
    )
  },
  'conditional creates of a Bundle': (pieces) =>
    workOfRequest(
      bundle(
        'batch',
        many(pieces, () => ({
          resource: { resourceType: 'Patient', identifier: [{ system: 's', value: fresh() }] },
          request: { method: 'POST', url: 'Patient', ifNoneExist: `identifier=s|${fresh()}` },
        })),
      ),
    ),
  'reads of a batch': (pieces) =>
    workOfRequest(
      bundle(
        'batch',
        many(pieces, () => ({ request: { method: 'GET', url: `Patient/${fresh()}` } })),
      ),
    ),
  'targets of a Provenance': (pieces) => {
    const id = fresh()
    const target = many(pieces, () => ({ reference: `Condition/${fresh()}` }))
    const body = { resourceType: 'Provenance', id, recorded: '2026-01-01T00:00:00Z', target }
    return workOfRequest({ method: 'PUT', path: `/Provenance/${id}`, body, status: 201 })
  },
  'targets of a Provenance that is deleted': (pieces) => {
    const id = fresh()
    const target = many(pieces, () => ({ reference: `Condition/${fresh()}` }))
    const body = { resourceType: 'Provenance', id, recorded: '2026-01-01T00:00:00Z', target }
    return workOfRequest({ method: 'DELETE', path: `/Provenance/${id}`, status: 204 }, () =>
      ask({ method: 'PUT', path: `/Provenance/${id}`, body, status: 201 }),
    )
  },
  'members of a Group that is exported': (pieces) => {
    const id = fresh()
    const member = many(pieces, () => ({ entity: { reference: `Patient/${fresh()}` } }))
    return workOfRequest(
      { method: 'GET', path: `/Group/${id}/$export`, status: 202 },
      () =>
        ask({
          method: 'PUT',
          path: `/Group/${id}`,
          body: { resourceType: 'Group', id, type: 'person', actual: true, member },
          status: 201,
        }),
      cancelled,
    )
  },
  'identifiers of a record': (pieces) => {
    const id = fresh()
    const identifier = many(Math.min(pieces, 1_000), () => ({ system: 's', value: fresh() }))
    return workOfRequest({
      method: 'PUT',
      path: `/Patient/${id}`,
      body: { resourceType: 'Patient', id, identifier },
      status: 201,
    })
  },
  'versions of a record that is read': (pieces) => {
    const id = fresh()
    return workOfRequest({ method: 'GET', path: `/Patient/${id}`, status: 200 }, async () => {
      for (let at = 0; at < pieces / 5; at++)
        await ask({
          method: 'PUT',
          path: `/Patient/${id}`,
          body: { resourceType: 'Patient', id, multipleBirthInteger: at },
          status: at === 0 ? 201 : 200,
        })
    })
  },
  'files of a manifest': async (pieces) => {
    const id = await finishedJob(pieces)
    return workOfRequest({ method: 'GET', path: `/bulk-export/jobs/${id}`, status: 200 })
  },
  'files of an export that is deleted': async (pieces) => {
    const id = await finishedJob(pieces)
    return workOfRequest({ method: 'DELETE', path: `/bulk-export/jobs/${id}`, status: 202 })
  },
}

for (const [what, work] of Object.entries(growing)) {
  test(`work of a request grows no faster than ${what}`, () => assertLinear(size, work, workOfAny))
}

/** What a request must not depend on: there may be as many of it as there are. */
const constant: Readonly<Record<string, { readonly add: (count: number) => Promise<unknown>; readonly asked: Asked }>> =
  {
    'tenants there are': {
      add: async (count) => {
        for (let at = 0; at < count; at++) await addTenant(store.pool, { id: `t-${fresh()}`, profile: 'hl7' })
      },
      asked: { method: 'GET', path: '/Patient/nobody', status: 404 },
    },
    'exports a client has had': {
      add: async (count) => {
        for (let at = 0; at < count; at++) await finishedJob(1)
      },
      asked: { method: 'GET', path: `/bulk-export/jobs/${randomUUID()}`, status: 404 },
    },
    'entries the audit trail has': {
      add: async (count) => {
        for (let at = 0; at < count; at++) {
          const id = fresh()
          await ask({ method: 'PUT', path: `/Patient/${id}`, body: { resourceType: 'Patient', id }, status: 201 })
        }
      },
      asked: { method: 'GET', path: '/AuditEvent?_count=5', status: 200 },
    },
  }

for (const [what, { add, asked }] of Object.entries(constant)) {
  test(`work of a request does not grow with how many ${what}`, async () => {
    await add(10)
    await workOfRequest(asked)
    const few = await leastOf(() => workOfRequest(asked))
    await add(100)
    const more = await leastOf(() => workOfRequest(asked))
    assert.ok(more <= few * 1.5 + workOfAny / 10, `${few}, then ${more}`)
  })
}
