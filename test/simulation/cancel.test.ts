import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Random } from '../../src/population/random.ts'
import { TestServer } from '../server.ts'
import { heavyRecords, patientIds, store } from './heavy-records.ts'
import { filesOf, idOf, PatientClient, until } from './patient-client.ts'

const patients = patientIds(60)
const observationsEach = 250
const cancels = 15
const triesMax = 10
const seed = randomInt(2 ** 31)

describe('DELETE of a job', () => {
  const random = new Random(seed)
  let server: TestServer
  let client: PatientClient

  before(async () => {
    server = await TestServer.start()
    await server.addTenant('clinic')
    await store(server, 'clinic', heavyRecords(patients, observationsEach))
    client = new PatientClient(server, 'clinic', await server.token(await server.addClient('clinic')))
  })
  after(() => server.stop())

  async function kickOff(): Promise<string> {
    const { status, job } = await client.kickOff(patients)
    assert.equal(status, 202)
    return job
  }

  /** 202, and the client knows it no more (T-167, T-186). */
  async function cancel(job: string): Promise<void> {
    assert.equal(await client.status('DELETE', job), 202)
    assert.equal(await client.status('GET', job), 404)
  }

  const noFiles = (job: string) => until(async () => (await filesOf(server, job)).length === 0, 'the files are gone')

  /** No worker reads records. */
  const idle = () =>
    until(async () => {
      const sql = `select from pg_stat_activity where query like '%copy (%' and state = 'active' and pid <> pg_backend_pid()`
      return (await server.pool.query(sql)).rowCount === 0
    }, 'the workers have stopped')

  async function partitionsOf(job: string) {
    const sql = 'select state, scanned, planned from partition where job = $1'
    return (await server.pool.query<{ state: string; scanned: number; planned: number }>(sql, [idOf(job)])).rows
  }

  /** An export in its middle. One that ended before it was looked at is none: then the next may be met. */
  async function atWork() {
    for (let tries = 0; ; tries++) {
      const job = await kickOff()
      let begun: Awaited<ReturnType<typeof partitionsOf>> = []
      await until(async () => {
        begun = await partitionsOf(job)
        return begun.some(({ scanned, state }) => scanned > 0 || state === 'done')
      }, 'records are exported')
      if (begun.some(({ state }) => state !== 'done') || tries === triesMax) return { job, begun }
      await cancel(job)
      await noFiles(job)
    }
  }

  it('stops it while it runs, removes its files and frees the place of its client at once', async () => {
    const { job, begun } = await atWork()
    await cancel(job)

    const next = await kickOff()
    await cancel(next)
    await idle()
    await noFiles(job)
    await noFiles(next)
    assert.ok(begun.some(({ state, scanned, planned }) => state !== 'done' && scanned < planned))
    for (const each of [job, next]) {
      assert.deepEqual(await partitionsOf(each), [], 'no attempt can publish any more')
      assert.equal((await server.pool.query('select from part where job = $1', [idOf(each)])).rowCount, 0)
    }
  })

  it('does so at any moment, and the exports after it are whole', async (t) => {
    t.diagnostic(`seed ${seed}`)
    for (let round = 0; round < cancels; round++) {
      const job = await kickOff()
      await sleep(random.integer(0, 600))
      await cancel(job)
      await noFiles(job)
    }
    const { output } = await client.finished(await kickOff())
    const counts = new Map<string, number>()
    for (const { type, count } of output) counts.set(type, (counts.get(type) ?? 0) + count)
    assert.deepEqual(Object.fromEntries(counts), {
      Observation: patients.length * observationsEach,
      Patient: patients.length,
      Practitioner: 1,
      Provenance: patients.length,
    })
  })
})
