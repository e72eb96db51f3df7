import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, describe, it } from 'node:test'
import { transaction } from '../database/connection.ts'
import { openTestStore, type TestStore } from '../database/store.fixture.ts'
import { partitionAttemptsMax } from '../protocol/limits.ts'
import { acceptJob, claimPlanning, findJob, packJob, startJob } from './job.ts'
import { type Liveness, openLiveness } from './liveness.ts'
import { claimPartition, insertPartitions, packPartitions } from './partition.ts'
import { openProducer, type Producer, readyTasksSql, type Task } from './queue.ts'
import { rescueAbandoned } from './rescue.ts'

const request = {
  patients: ['p'],
  types: [],
  filters: {},
  base: 'https://fhir.example.org/r4/t',
  provenance: 'relevant',
  lenient: false,
  warnings: [],
} as const

describe('work of a worker that died', () => {
  let store: TestStore
  let producer: Producer
  let alive: Liveness
  let dead: number

  before(async () => {
    store = await openTestStore()
    producer = await openProducer(store.pool, () => {})
    alive = await openLiveness(store.connection, () => {})
    const died = await openLiveness(store.connection, () => {})
    await died.close()
    dead = died.worker
  })
  beforeEach(async () => {
    await store.pool.query('delete from job')
    await takeTasks()
  })
  after(async () => {
    await alive.close()
    await producer.stop()
    await store.close()
  })

  /** A worker takes all tasks, and that is all it does. */
  const takeTasks = () => store.pool.query(`update pgboss.job set state = 'active' where state < 'active'`)

  const tasks = async () => (await store.pool.query<{ data: Task }>(readyTasksSql)).rows.map(({ data }) => data)

  const rescue = () => rescueAbandoned(store.pool, producer.enqueue)

  async function accepted(): Promise<string> {
    const job = { id: randomUUID(), tenant: 't', client: 'c', request, url: '' }
    assert.ok(await transaction(store.pool, async (client) => acceptJob(client, producer.enqueue, await packJob(job))))
    return job.id
  }

  async function planned(): Promise<string> {
    const job = await accepted()
    await takeTasks()
    await claimPlanning(store.pool, job, alive.worker)
    await transaction(store.pool, async (client) => {
      await startJob(client, job, alive.worker)
      await insertPartitions(client, job, 'owners', await packPartitions([{ owners: ['p'], records: 1 }]), 0)
      await producer.enqueue(client, [{ kind: 'partition', job, number: 0 }])
    })
    return job
  }

  it('is left alone while its task waits in the queue', async () => {
    const job = await accepted()
    await rescue()
    assert.deepEqual(await tasks(), [{ kind: 'plan', job }])
  })

  it('gets a new task, when the clock of the database has gone back since and the old one would have to wait', async () => {
    const job = await accepted()
    await store.pool.query(`update pgboss.job set start_after = now() + interval '5 minutes' where state < 'active'`)
    await rescue()
    await rescue()
    const sql = `select data from pgboss.job where state < 'active' and start_after <= now()`
    assert.deepEqual((await store.pool.query(sql)).rows, [{ data: { kind: 'plan', job } }])
    await store.pool.query(`delete from pgboss.job where state < 'active'`)
  })

  it('gets a new task, when the worker had taken the old one but not claimed the job', async () => {
    const job = await accepted()
    await takeTasks()
    await rescue()
    await rescue()
    assert.deepEqual(await tasks(), [{ kind: 'plan', job }])
  })

  it('gets a new task, when the worker was planning the job', async () => {
    const job = await accepted()
    await takeTasks()
    assert.ok(await claimPlanning(store.pool, job, dead))
    await rescue()
    assert.deepEqual(await tasks(), [{ kind: 'plan', job }])
    assert.ok(await claimPlanning(store.pool, job, alive.worker))
  })

  it('gets a new task, when the worker had taken the old one but not claimed the partition', async () => {
    const job = await planned()
    await rescue()
    assert.deepEqual(await tasks(), [{ kind: 'partition', job, number: 0 }])
    await takeTasks()
    await rescue()
    assert.deepEqual(await tasks(), [{ kind: 'partition', job, number: 0 }])
  })

  it('gets a new task, when the worker was running the partition', async () => {
    const job = await planned()
    await takeTasks()
    assert.ok(await claimPartition(store.pool, job, 0, dead))
    await rescue()
    assert.deepEqual(await tasks(), [{ kind: 'partition', job, number: 0 }])
    assert.equal((await claimPartition(store.pool, job, 0, alive.worker))?.attempt, 2)
  })

  it('gets one task for a job, however many of its partitions wait, and none while one is ready', async () => {
    const job = await planned()
    await takeTasks()
    const more = Array.from({ length: 200 }, () => ({ owners: ['p'], records: 1 }))
    await transaction(store.pool, async (client) =>
      insertPartitions(client, job, 'owners', await packPartitions(more), 1),
    )
    const count = async () => (await store.pool.query('select count(*)::int as count from pgboss.job')).rows[0].count
    const before = await count()
    for (let round = 0; round < 5; round++) await rescue()
    assert.equal(await count(), before + 1)
    assert.equal((await tasks()).length, 1)
  })

  it('is not taken from a worker that lives', async () => {
    const job = await planned()
    await takeTasks()
    assert.ok(await claimPartition(store.pool, job, 0, alive.worker))
    await rescue()
    assert.deepEqual(await tasks(), [])
    assert.equal(await claimPartition(store.pool, job, 0, alive.worker), undefined)
  })

  it('fails its job when it was tried too often', async () => {
    const job = await planned()
    for (let attempt = 1; attempt <= partitionAttemptsMax; attempt++) {
      assert.equal((await findJob(store.pool, job))?.state, 'running')
      assert.equal((await claimPartition(store.pool, job, 0, dead))?.attempt, attempt)
      await rescue()
    }
    assert.equal((await findJob(store.pool, job))?.state, 'failed')
  })

  it('gets no task when its job has ended', async () => {
    const job = await planned()
    await takeTasks()
    await store.pool.query(`update job set state = 'deleted' where id = $1`, [job])
    await rescue()
    assert.deepEqual(await tasks(), [])
  })
})
