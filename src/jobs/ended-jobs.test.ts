import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import { openTestStore, type TestStore } from '../database/store.fixture.ts'
import { transaction } from '../database/transaction.ts'
import { endedJobsMax, patientsMax } from '../protocol/limits.ts'
import { withoutUnknownPatients } from '../protocol/request/unknown-patients.ts'
import { clearAllEnded, clearEnded, forgetEnded, referencesPerStatementMax } from './ended-jobs.ts'
import {
  acceptJob,
  claimPlanning,
  deleteJob,
  failJob,
  findJob,
  jobPatients,
  jobWarnings,
  packJob,
  startJob,
} from './job.ts'
import { listJobs } from './job-summary.ts'
import { addReferences } from './noted-reference.ts'
import { claimPartition, insertPartitions, packPartitions } from './partition.ts'

let store: TestStore
before(async () => {
  store = await openTestStore()
})
beforeEach(() => store.pool.query('delete from job'))
after(() => store.close())

const worker = 7
const ids = Array.from({ length: patientsMax }, () => randomUUID())

/** Accepts a lenient export of the patients, of whom the store knows some, and plans it. */
async function job(known: readonly string[], more: object = {}): Promise<string> {
  const about = { types: ['Patient'] as const, filters: {}, base: '', provenance: 'relevant' as const }
  const asked = { patients: ids, ...about, lenient: true, warnings: [], ...more }
  const request = withoutUnknownPatients(asked, new Set(known))
  const id = randomUUID()
  const url = 'https://fhir.example.org/r4/t/Patient/$export'
  await transaction(store.pool, async (client) =>
    acceptJob(client, async () => {}, await packJob({ id, tenant: 't', client: id, url, request })),
  )
  return id
}

async function plan(id: string): Promise<void> {
  await claimPlanning(store.pool, id, worker)
  await transaction(store.pool, async (client) => {
    assert.ok(await startJob(client, id, worker))
    await insertPartitions(client, id, 'owners', await packPartitions([{ owners: ids, records: 1 }]), 0)
  })
}

/** Bytes of all that the tables of jobs keep, compressed as they are stored. */
async function keptBytes(): Promise<number> {
  let sum = 0
  for (const table of ['job', 'partition', 'part', 'reference']) {
    const columns = await store.pool.query(
      `select string_agg(format('coalesce(pg_column_size(%I), 0)', attname), ' + ') as sizes from pg_attribute
       where attrelid = $1::regclass and attnum > 0 and not attisdropped`,
      [table],
    )
    const { rows } = await store.pool.query(`select coalesce(sum(${columns.rows[0].sizes}), 0) as bytes from ${table}`)
    sum += Number(rows[0].bytes)
  }
  return sum
}

const rowBytesMax = 500

test('the ids of a job are kept once: as patients until it is planned, then in its partitions', async () => {
  const id = await job(ids)
  const accepted = await keptBytes()
  assert.ok(accepted < ids.length * 24, String(accepted))
  assert.deepEqual(await jobPatients(store.pool, id), ids)
  await plan(id)
  assert.ok((await keptBytes()) < accepted + rowBytesMax)
  assert.deepEqual(await jobPatients(store.pool, id), [])
  assert.deepEqual((await claimPartition(store.pool, id, 0, worker))?.owners, ids)
})

test('an export that tells deletions keeps its list: patients without a record stand in no partition', async () => {
  const id = await job(ids, { deletions: ['Patient'], since: 0 })
  await plan(id)
  assert.deepEqual(await jobPatients(store.pool, id), ids)
})

test('unknown patients are kept once, compressed, and no poll reads them', async () => {
  const id = await job([])
  assert.ok((await keptBytes()) < ids.length * 25)
  assert.equal((await jobWarnings(store.pool, id)).length, patientsMax)
  const found = await findJob(store.pool, id)
  assert.ok(JSON.stringify(found).length < 2 * rowBytesMax)
})

for (const [how, end, state] of [
  ['deleted', (id: string) => deleteJob(store.pool, id), 'deleted'],
  ['failed', (id: string) => failJob(store.pool, id, 'The reason.'), 'failed'],
] as const) {
  test(`a ${how} job with 20,000 patients, known or unknown, keeps one short row`, async () => {
    for (const known of [ids, []]) {
      await store.pool.query('delete from job')
      const id = await job(known)
      await plan(id)
      await addReferences(store.pool, id, ['Location/1', 'Location/2'])
      await end(id)
      await clearEnded(store.pool, id)
      assert.ok((await keptBytes()) < rowBytesMax, String(await keptBytes()))
      await addReferences(store.pool, id, ['Location/3'])
      const [listed] = await listJobs(store.pool, { count: 1 })
      assert.deepEqual([listed?.id, listed?.state, listed?.patients], [id, state, known.length])
      assert.equal((await store.pool.query('select from reference')).rowCount, 0, 'a late worker notes nothing')
      if (state === 'failed') assert.deepEqual((await findJob(store.pool, id))?.request.types, ['Patient'])
    }
  })
}

test('what nobody cleared when it ended is cleared later; live jobs are left alone', async () => {
  const [live, ended] = [await job(ids), await job(ids)]
  await deleteJob(store.pool, ended)
  await clearAllEnded(store.pool)
  assert.deepEqual((await jobPatients(store.pool, live)).length, ids.length)
  assert.deepEqual(await jobPatients(store.pool, ended), [])
})

for (const [count, left] of [
  [referencesPerStatementMax - 1, 0],
  [referencesPerStatementMax, 0],
  [referencesPerStatementMax + 1, 1],
] as const) {
  test(`of ${count} references a DELETE leaves ${left}, and the sweeper none`, async () => {
    const id = await job([])
    await store.pool.query(
      `insert into reference (job, type, id) select $1, 'Location', n from generate_series(1, $2) n`,
      [id, count],
    )
    await deleteJob(store.pool, id)
    assert.equal(await clearEnded(store.pool, id), count < referencesPerStatementMax)
    assert.equal((await store.pool.query('select from reference')).rowCount, left)
    await clearAllEnded(store.pool)
    assert.equal((await store.pool.query('select from reference')).rowCount, 0)
    assert.deepEqual((await store.pool.query('select cleared from job')).rows, [{ cleared: true }])
  })
}

test('the transactions that accept and plan a job begin with their statements: what is long is compressed by then', async (t) => {
  const client = await store.pool.connect()
  t.after(() => client.release())
  const asked = t.mock.method(client, 'query')
  const about = { types: ['Patient'] as const, filters: {}, base: '', provenance: 'relevant' as const }
  const request = { patients: ids, ...about, lenient: true, warnings: [] }
  const id = randomUUID()
  const packed = await packJob({ id, tenant: 't', client: id, url: '', request })
  const accepted = acceptJob(client, async () => {}, packed)
  assert.equal(asked.mock.callCount(), 1)
  await accepted
  const partitions = await packPartitions([{ owners: ids, records: 1 }])
  const before = asked.mock.callCount()
  const written = insertPartitions(client, id, 'owners', partitions, 0)
  assert.equal(asked.mock.callCount(), before + 1)
  await written
})

for (const [count, left] of [
  [endedJobsMax - 1, endedJobsMax - 1],
  [endedJobsMax, endedJobsMax],
  [endedJobsMax + 1, endedJobsMax],
]) {
  test(`of ${count} ended jobs of a client in a tenant ${left} are kept, the latest`, async () => {
    const insert = `insert into job (id, tenant, client, state, request, url, transaction_time, finished)
      select gen_random_uuid(), $1, 'c', case when n % 2 = 0 then 'deleted' else 'failed' end, '{}', '', now(), now() - n * interval '1 second'
      from generate_series(1, $2) n`
    await store.pool.query(insert, ['t', count])
    await store.pool.query(insert, ['another', 3])
    await forgetEnded(store.pool)
    const { rows } = await store.pool.query(
      `select tenant, count(*)::int as count, round(extract(epoch from max(now() - finished)))::int <= $1 as latest
       from job group by tenant order by tenant desc`,
      [endedJobsMax + 60],
    )
    assert.deepEqual(
      rows.map((row) => [row.tenant, row.count]),
      [
        ['t', left],
        ['another', 3],
      ],
    )
    const oldest = await store.pool.query(
      `select (select max(finished) from job where tenant = 't') - min(finished) as span from job where tenant = 't'`,
    )
    assert.equal(Math.round(secondsOf(oldest.rows[0].span)), left! - 1)
  })
}

const secondsOf = (span: { readonly minutes?: number; readonly seconds?: number; readonly hours?: number }): number =>
  (span.hours ?? 0) * 3600 + (span.minutes ?? 0) * 60 + (span.seconds ?? 0)
