import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { openPool } from '../database/pool.ts'
import { openTestStore, type TestStore } from '../database/store.fixture.ts'
import { diskStore } from '../files/disk-store.ts'
import { lookedMs } from './periodic-look.ts'
import { Readiness } from './readiness.ts'
import { standingSeconds } from './standing-work.ts'
import { readStoreFigures, unpackedMax } from './store-figures.ts'

describe('whether a server takes requests', () => {
  let store: TestStore
  let now: number
  let workers: number
  let directory: string
  let readiness: Readiness

  before(async () => {
    store = await openTestStore()
  })
  after(() => store.close())
  beforeEach(async () => {
    now = 0
    workers = 1
    directory = join(store.directory, `files-${randomUUID()}`)
    readiness = new Readiness(
      store.pool,
      diskStore(directory),
      () => workers,
      () => now,
    )
    await store.pool.query('delete from job')
  })

  const ok = { ready: true, status: 'ok' }

  it('it does, and leaves nothing behind where it has tried to write', async () => {
    assert.deepEqual(await readiness.look(), ok)
    assert.deepEqual(readdirSync(directory), [])
  })

  it('files that cannot be written are told, and the server goes on', async () => {
    mkdirSync(join(directory, '..'), { recursive: true })
    writeFileSync(directory, 'a file where the folder should be')
    assert.deepEqual(await readiness.look(), { ...ok, files: 'not writable' })
    now += lookedMs - 1
    rmSync(directory)
    assert.deepEqual(await readiness.look(), { ...ok, files: 'not writable' }, 'it looks no more often than that')
    now += 1
    assert.deepEqual(await readiness.look(), ok)
  })

  it('a folder that may only be read is told', { skip: process.geteuid?.() === 0 && 'root may write' }, async () => {
    mkdirSync(directory)
    chmodSync(directory, 0o500)
    assert.deepEqual(await readiness.look(), { ...ok, files: 'not writable' })
  })

  it('without workers it says so', async () => {
    workers = 0
    assert.deepEqual(await readiness.look(), { ...ok, workers: 'none' })
  })

  it('while it stops it does not, and says why', async () => {
    readiness.stop()
    assert.deepEqual(await readiness.look(), { ready: false, status: 'stopping' })
  })

  it('a database that is away is told, and asked again by the next', async () => {
    const away = openPool({ ...store.connection, host: '/nowhere' }, 1)
    const asking = new Readiness(
      away,
      diskStore(directory),
      () => 1,
      () => now,
    )
    assert.deepEqual(await asking.look(), { ready: false, status: 'the database does not answer' })
    await away.end()
  })

  it('a database that a newer program has migrated is told', async () => {
    await store.pool.query(`insert into migration (name) values ('999-of-tomorrow')`)
    const { ready, status } = await readiness.look()
    await store.pool.query(`delete from migration where name = '999-of-tomorrow'`)
    assert.deepEqual([ready, status.includes('newer Millrace')], [false, true])
  })

  /** An accepted job that has waited for so long. */
  const accept = (seconds: number) =>
    store.pool.query(
      `insert into job (id, tenant, client, state, request, url, transaction_time, created)
       values ($1::uuid, 't', $1::text, 'accepted', '{}', '', now(), clock_timestamp() - $2 * interval '1 second')`,
      [randomUUID(), seconds],
    )

  it('work that waits while nobody is at work stands still, from a time on', async () => {
    await accept(standingSeconds - 30)
    assert.deepEqual(await readiness.look(), ok)
    await accept(standingSeconds + 1)
    now += lookedMs
    assert.deepEqual(await readiness.look(), { ...ok, queue: 'stands still' })
    const { rows } = await store.pool.query(`update job set state = 'running', started = now() returning id`)
    const sql = `insert into partition (job, number, kind, owners_packed, state, planned) values ($1, 0, 'owners', '\\x00', $2, 1)`
    await store.pool.query(sql, [rows[0].id, 'running'])
    await store.pool.query(sql, [rows[1].id, 'waiting'])
    await store.pool.query(`update job set started = now() - interval '10 minutes'`)
    now += lookedMs
    assert.deepEqual(await readiness.look(), ok, 'workers are busy')
    await store.pool.query(`delete from partition where state = 'running'`)
    now += lookedMs
    assert.deepEqual(await readiness.look(), { ...ok, queue: 'stands still' })
    const { oldestPartitionSeconds, partitions, jobs } = await readStoreFigures(store.connection)
    assert.ok(oldestPartitionSeconds >= 600 && oldestPartitionSeconds < 6000, String(oldestPartitionSeconds))
    assert.deepEqual([partitions.waiting, partitions.running, jobs.running], [1, 0, 2])
  })

  it('a partition that was given back or put off does not wait since its job began', async () => {
    await accept(0)
    const { rows } = await store.pool.query(
      `update job set state = 'running', started = now() - interval '1 hour' returning id`,
    )
    const insert = (number: number, more: string) =>
      store.pool.query(
        `insert into partition (job, number, kind, owners_packed, state, planned, claimed, due)
         values ($1, ${number}, ${more})`,
        [rows[0].id],
      )
    await insert(0, `'owners', '\\x00', 'done', 1, now() - interval '5 seconds', null`)
    await insert(1, `'owners', '\\x00', 'waiting', 1, now() - interval '50 minutes', now() - interval '2 seconds'`)
    await insert(2, `'owners', '\\x00', 'waiting', 1, now() - interval '50 minutes', now() + interval '8 seconds'`)
    await insert(3, `'references', '\\x00', 'waiting', 0, null, null`)
    const { oldestPartitionSeconds } = await readStoreFigures(store.connection)
    assert.ok(oldestPartitionSeconds >= 5 && oldestPartitionSeconds < 600, String(oldestPartitionSeconds))
  })

  it('changed types of owners are counted up to a bound', async () => {
    const add = (count: number, from: number) =>
      store.pool.query(
        `insert into unpacked (tenant, owner, type, change, changed)
         select 't', n::text, 'Patient', n, now() from generate_series($2::int + 1, $2::int + $1::int) n`,
        [count, from],
      )
    await add(unpackedMax - 1, 0)
    assert.equal((await readStoreFigures(store.connection)).unpacked, unpackedMax - 1)
    await add(1, unpackedMax - 1)
    assert.equal((await readStoreFigures(store.connection)).unpacked, unpackedMax)
    await add(1, unpackedMax)
    assert.equal((await readStoreFigures(store.connection)).unpacked, unpackedMax)
    await store.pool.query('truncate unpacked')
  })
})
