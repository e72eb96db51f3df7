import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import { openTestStore, type TestStore } from '../database/store.fixture.ts'
import { transaction } from '../database/transaction.ts'
import { mendingHoursMax, partitionAttemptsMax } from '../protocol/limits.ts'
import { findJob, pruneHorizon } from './job.ts'
import { askMending, replaceParts } from './mending.ts'
import { partsOfCompleted } from './part.ts'
import { claimPartition, releasePartition } from './partition.ts'
import { findFile, type StoredPart } from './published-file.ts'
import { openProducer } from './queue.ts'
import { rescueAbandoned } from './rescue.ts'

let store: TestStore
before(async () => {
  store = await openTestStore()
})
beforeEach(() => store.pool.query('delete from job'))
after(() => store.close())

/** Nobody alive. */
const dead = 7
const minuteMs = 60_000
const lookBackSeconds = 300

interface PublishedPart extends StoredPart {
  readonly job: string
}

/** The file of a job that was completed a day ago, and looks at a day before that. */
async function published(): Promise<PublishedPart> {
  const [job, part] = [randomUUID(), randomUUID()]
  await store.pool.query(
    `insert into job (id, tenant, client, state, request, url, transaction_time, finished, expires)
     values ($1, 't', 'c', 'completed', '{}', '', now() - interval '2 days', now() - interval '1 day', now() + interval '1 day')`,
    [job],
  )
  await store.pool.query(
    `insert into partition (job, number, kind, owners_packed, state, planned, attempt) values ($1, 0, 'owners', '\\x00', 'done', 1, 1)`,
    [job],
  )
  await store.pool.query(
    `insert into part (id, job, partition, number, kind, type, path, records, bytes, gzip_bytes, continues)
     values ($1, $2, 0, 0, 'output', 'Patient', $3, 0, 0, 0, false)`,
    [part, job, `${job}/0-1/Patient-0.ndjson.gz`],
  )
  return { ...(await findFile(store.pool, part))!.parts[0]!, job }
}

const ask = (part: PublishedPart) => askMending(store.pool, async () => {}, part.job, part)
const stateOf = async (part: PublishedPart) => (await findJob(store.pool, part.job))?.state

test('tries for want of room are given back: one death after any number of them fails no completed job', async (t) => {
  const producer = await openProducer(store.pool, () => {})
  t.after(() => producer.stop())
  const part = await published()
  assert.equal(await ask(part), 'begun')
  for (let tries = 0; tries <= partitionAttemptsMax; tries++) {
    const held = (await claimPartition(store.pool, part.job, 0, dead))!
    assert.deepEqual([held.again, held.tries], [true, 1])
    assert.ok(await releasePartition(store.pool, held, 0, false))
  }
  for (let deaths = 1; deaths <= partitionAttemptsMax; deaths++) {
    assert.equal(await stateOf(part), 'completed')
    assert.ok(await claimPartition(store.pool, part.job, 0, dead))
    await rescueAbandoned(store.pool, producer.enqueue)
  }
  assert.equal(await stateOf(part), 'failed')
})

for (const [minutes, holds] of [
  [-1, true],
  [0, false],
  [1, false],
] as const) {
  test(`files made again since ${mendingHoursMax} hours ${minutes} minutes keep versions back: ${holds}`, async () => {
    const part = await published()
    await ask(part)
    const at = (await findJob(store.pool, part.job))!.transactionTime.getTime()
    assert.equal(await transaction(store.pool, pruneHorizon), at)
    await store.pool.query(`update job set mending_since = now() - $1 * interval '1 hour' - $2 * interval '1 minute'`, [
      mendingHoursMax,
      minutes,
    ])
    const horizon = await transaction(store.pool, pruneHorizon)
    assert.equal(horizon === at, holds)
    assert.ok(holds || horizon > at + minuteMs)
  })
}

test('another damaged file of the job does not begin its time anew', async () => {
  const part = await published()
  await ask(part)
  const since = `update job set mending_since = now() - interval '1 hour' returning mending_since`
  const { rows } = await store.pool.query(since)
  await store.pool.query(`update partition set state = 'done'`)
  assert.equal(await ask(part), 'begun')
  assert.deepEqual((await store.pool.query('select mending_since from job')).rows, rows)
})

test('a job whose files were made again is looked at for those from before, however long ago it was completed', async () => {
  const part = await published()
  const looked = async () => [...(await partsOfCompleted(store.pool, lookBackSeconds)).keys()]
  assert.deepEqual(await looked(), [])
  await ask(part)
  await store.pool.query(`update partition set state = 'done'`)
  const path = `${part.job}/0-2/Patient-0.ndjson.gz`
  await transaction(store.pool, (client) => replaceParts(client, part.job, [part.id], [{ ...part, path }]))
  assert.deepEqual(await looked(), [part.job])
  await store.pool.query(`update job set mended = now() - $1 * interval '1 second'`, [lookBackSeconds])
  assert.deepEqual(await looked(), [])
})
