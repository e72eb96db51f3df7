import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { openTestStore } from '../database/store.fixture.ts'
import { diskStore } from '../files/disk-store.ts'
import { openProducer } from '../jobs/queue.ts'
import { startSweeper } from './sweeper.ts'

const pollMs = 20
/** Far longer than the first run of the chores takes. */
const sweptMsMax = 180_000

/** A store, a directory for its files, and what wakes its engines. */
async function sweepable(t: TestContext) {
  const { pool, close } = await openTestStore()
  const directory = await mkdtemp(join(tmpdir(), 'millrace-sweep-'))
  const producer = await openProducer(pool, () => {})
  t.after(async () => {
    await producer.stop()
    await close()
    await rm(directory, { recursive: true, force: true })
  })
  return { pool, directory, producer }
}

test('files of a dead attempt go, when the worker died between completing the job and removing them', async (t) => {
  const { pool, directory, producer } = await sweepable(t)
  const job = randomUUID()
  for (const attempt of ['0-1', '0-2']) {
    await mkdir(join(directory, job, attempt), { recursive: true })
    await writeFile(join(directory, job, attempt, 'Patient-0.ndjson.gz'), '')
  }
  await pool.query(
    `insert into job (id, tenant, client, state, request, url, transaction_time, created, finished, expires)
     values ($1, 't', 'c', 'completed', '{}', '', now(), now(), now() - interval '1 day', now() + interval '1 day')`,
    [job],
  )
  await pool.query(
    `insert into part (id, job, partition, number, kind, type, path, records, bytes, gzip_bytes, continues)
     values ($1, $2, 0, 0, 'output', 'Patient', $3, 0, 0, 0, false)`,
    [randomUUID(), job, `${job}/0-2/Patient-0.ndjson.gz`],
  )
  const told: unknown[] = []
  const sweeper = startSweeper(pool, producer, diskStore(directory), (...event) => told.push(event))
  while ((await readdir(join(directory, job))).length > 1) await pause(pollMs)
  await sweeper.stop()
  assert.deepEqual(await readdir(join(directory, job)), ['0-2'])
  assert.deepEqual(told, [])
})

test('files that belong to nobody go, although an ended job cannot be cleared', async (t) => {
  const { pool, directory, producer } = await sweepable(t)
  await pool.query(
    `insert into job (id, tenant, client, state, request, url, transaction_time, finished)
     values (gen_random_uuid(), 't', 'c', 'deleted', '{}', '', now(), now())`,
  )
  await pool.query(
    `create function refuse() returns trigger language plpgsql as $$ begin raise 'it cannot be cleared'; end $$`,
  )
  await pool.query('create trigger refuse before update of cleared on job for each row execute function refuse()')
  const job = randomUUID()
  await mkdir(join(directory, job, '0-1'), { recursive: true })
  const told: unknown[] = []
  const sweeper = startSweeper(pool, producer, diskStore(directory), (...event) => told.push(event))
  const deadline = AbortSignal.timeout(sweptMsMax)
  while ((await readdir(directory)).length > 0 && !deadline.aborted) await pause(pollMs)
  await sweeper.stop()
  assert.deepEqual(await readdir(directory), [])
  assert.match(JSON.stringify(told), /"sweep-failed",.*it cannot be cleared/)
})
