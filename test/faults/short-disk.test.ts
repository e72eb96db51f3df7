import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { jobCommand } from '../../src/cli/job/job.ts'
import { transaction } from '../../src/database/transaction.ts'
import { acceptJob, packJob } from '../../src/jobs/job.ts'
import { openProducer } from '../../src/jobs/queue.ts'
import { partitionAttemptsMax } from '../../src/protocol/limits.ts'
import { parsePage, sumOf } from '../prometheus-text.ts'
import { type TestClient, TestServer } from '../server.ts'
import { PatientClient } from '../simulation/patient-client.ts'

const pauseMs = 50
/** No disk has so much. */
const moreThanThereIs = ['--free-disk', '1024T', '--workers', '1', '--metrics', '127.0.0.1:0']

describe('less disk is free than there must be', () => {
  let server: TestServer
  let registered: TestClient
  let headers: Record<string, string>
  let patients: PatientClient

  before(async () => {
    server = await TestServer.start(moreThanThereIs)
    await server.addTenant('clinic')
    registered = await server.addClient('clinic')
    await authenticate()
  })
  after(() => server.stop())

  async function authenticate(): Promise<void> {
    const token = await server.token(registered)
    headers = { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' }
    patients = new PatientClient(server, 'clinic', token)
  }

  const kickOff = () =>
    fetch(`${server.base('clinic')}/Patient/$export`, {
      method: 'POST',
      headers: { ...headers, accept: 'application/fhir+json', prefer: 'respond-async' },
      body: JSON.stringify({
        resourceType: 'Parameters',
        parameter: [{ name: 'patient', valueReference: { reference: 'Patient/p1' } }],
      }),
    })

  it('kick-offs are refused with a time and a text, writes and reads are not; the log says it once', async () => {
    const body = JSON.stringify({ resourceType: 'Patient', id: 'p1' })
    assert.equal((await fetch(`${server.base('clinic')}/Patient/p1`, { method: 'PUT', headers, body })).status, 201)
    for (let asked = 0; asked < 3; asked++) {
      const answer = await kickOff()
      assert.equal(answer.status, 503)
      assert.equal(answer.headers.get('retry-after'), '60')
      assert.match(await answer.text(), /too little free disk for another export. Its operator must make room/)
    }
    assert.equal((await fetch(`${server.base('clinic')}/Patient/p1`, { headers })).status, 200)
    assert.equal(server.log.split('too little free disk').length - 1, 1)
    assert.equal((await server.pool.query('select from job')).rowCount, 0)
  })

  it('/readyz is 200, for all else is answered, and tells it', async () => {
    const answer = await fetch(`${server.url}/readyz`)
    assert.deepEqual([answer.status, await answer.json()], [200, { status: 'ok', disk: 'short' }])
  })

  it('an export that runs into it is tried again, and fails with a text when it was tried too often', async () => {
    const job = randomUUID()
    const producer = await openProducer(server.pool, () => {})
    const about = { types: ['Patient'] as const, filters: {}, base: '', provenance: 'relevant' as const }
    const request = { patients: ['p1'], ...about, lenient: false, warnings: [] }
    await transaction(server.pool, async (client) =>
      acceptJob(
        client,
        producer.enqueue,
        await packJob({ id: job, tenant: 'clinic', client: registered.id, url: '', request }),
      ),
    )
    await producer.stop()
    // Its tries are 2 s, 4 s, 6 s … apart: of those in the middle the test knows nothing new.
    for (;;) {
      const sql = `update partition set spent = $2 where job = $1 and state = 'waiting' and attempt > 0`
      if ((await server.pool.query(sql, [job, 2 - partitionAttemptsMax])).rowCount === 1) break
      await pause(pauseMs)
    }
    for (;;) {
      const status = await fetch(`${server.base('clinic')}/bulk-export/jobs/${job}`, { headers })
      const text = await status.text()
      if (status.status === 500) {
        assert.match(text, /too little free disk for the files of the export. Its operator must make room. Start a new/)
        break
      }
      // 429: it is asked about as often as may be (T-169).
      assert.ok([202, 429].includes(status.status), `${status.status} ${text}`)
      await pause(pauseMs)
    }
  })

  it('and is seen in the metrics, in the log and in the list of jobs', async () => {
    const url = await server.metricsUrl()
    for (;;) {
      const page = parsePage(await (await fetch(url)).text())
      if (sumOf(page, 'millrace_exports_ended_total', { outcome: 'failed' }) === 1) {
        assert.equal(sumOf(page, 'millrace_jobs', { state: 'failed' }), 1)
        assert.ok(sumOf(page, 'millrace_engine_events_total', { event: 'task-failed' })! >= 2)
        if (sumOf(page, 'millrace_partition_attempts_total', { outcome: 'failed' })! >= 2) break
      }
      await pause(pauseMs)
    }
    assert.match(server.log, /"reason":"The server had too little free disk[^"]*","msg":"export failed"/)
    const written: string[] = []
    const command = jobCommand({ MILLRACE_DATA: server.directory }, { write: (text) => written.push(text) })
    await command.parseAsync(['list', '--state', 'failed'], { from: 'user' })
    assert.match(written.join(''), /failed +clinic/)
  })

  it('with room again exports are taken and done', async () => {
    await server.kill('SIGTERM')
    await server.spawn(['--free-disk', '1K', '--workers', '1'])
    await authenticate()
    const { job } = await patients.kickOff(['p1'])
    const { output } = await patients.finished(job)
    assert.equal(output.length, 1)
    assert.deepEqual(await (await fetch(`${server.url}/readyz`)).json(), { status: 'ok' })
  })
})
