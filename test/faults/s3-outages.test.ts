import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, afterEach, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { ListMultipartUploadsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { type Fault, FaultyStore, type Operation, slowDown } from '../../src/files/s3/faulty-store.fixture.ts'
import { gatewaySkipped } from '../../src/files/s3/gateway.fixture.ts'
import { credentialsOf, type GatewayBucket, openBucket } from '../../src/files/s3/gateway-bucket.fixture.ts'
import { pieceBytes } from '../../src/files/s3/uploaded-file.ts'
import { partitionAttemptsMax } from '../../src/protocol/limits.ts'
import { TestServer } from '../server.ts'
import { PatientClient, until } from '../simulation/patient-client.ts'

const pauseMs = 50
const patients = ['p1', 'p2', 'p3']

describe('an export whose S3 fails it', { skip: gatewaySkipped }, () => {
  let bucket: GatewayBucket
  let faulty: FaultyStore
  let server: TestServer
  let flags: string[]
  let token: string
  let client: PatientClient

  before(async () => {
    Object.assign(process.env, credentialsOf('owner'))
    bucket = await openBucket()
    faulty = await FaultyStore.open(bucket.endpoint)
    flags = ['--workers', '1', '--files', `s3://${bucket.name}/of?endpoint=${faulty.endpoint}`]
    server = await TestServer.start(flags)
    await server.addTenant('clinic')
    token = await server.token(await server.addClient('clinic'))
    client = new PatientClient(server, 'clinic', token)
    // Lines that deflate badly, of more than one piece together.
    for (const id of patients) await put(id, randomBytes(pieceBytes / 2).toString('base64'))
  })
  after(async () => {
    faulty?.heal()
    await server?.stop()
    await faulty?.close()
    bucket?.close()
  })
  afterEach(() => faulty.heal())

  async function put(id: string, family: string): Promise<void> {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' }
    const body = JSON.stringify({ resourceType: 'Patient', id, name: [{ family }] })
    assert.ok((await fetch(`${server.base('clinic')}/Patient/${id}`, { method: 'PUT', headers, body })).ok)
  }

  const jobIdOf = (job: string) => job.split('/').at(-1)!

  /** What of a job lies in the bucket, and what was begun there. */
  async function stored(job: string): Promise<string[]> {
    const { Contents = [] } = await bucket.owner.send(new ListObjectsV2Command({ Bucket: bucket.name }))
    const { Uploads = [] } = await bucket.owner.send(new ListMultipartUploadsCommand({ Bucket: bucket.name }))
    return [...Contents, ...Uploads].map(({ Key = '' }) => Key).filter((key) => key.includes(jobIdOf(job)))
  }

  /** Each record once, and nothing in the bucket but what is published. */
  async function isRight(job: string): Promise<void> {
    const { output } = await client.finished(job)
    const lines = (await Promise.all(output.map((file) => client.lines(file)))).flat()
    assert.deepEqual(lines.map((line) => JSON.parse(line).id).sort(), patients)
    const { rows } = await server.pool.query<{ path: string }>('select path from part where job = $1', [jobIdOf(job)])
    const isTidy = async () => {
      const keys = await stored(job)
      return keys.length === rows.length && rows.every(({ path }) => keys.some((key) => key.endsWith(path)))
    }
    await until(isTidy, 'nothing lies there but what is published')
  }

  const seen = (operation: Operation, times = 1) =>
    until(async () => faulty.asked.filter((asked) => asked === operation).length >= times, `${operation} is asked`)

  for (const operation of ['CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'] as const) {
    it(`waits while ${operation} is answered SlowDown, and goes on in the same attempt`, async () => {
      faulty.failNext(operation, slowDown, 7)
      const { job } = await client.kickOff(patients)
      await isRight(job)
      const { rows } = await server.pool.query(`select max(attempt) as attempts from partition where job = $1`, [
        jobIdOf(job),
      ])
      assert.equal(rows[0].attempts, 1)
    })
  }

  it('is right when of all that the server asks every third request is cut, lost or broken off', async () => {
    const faults: readonly Fault[] = [{ kind: 'cut' }, { kind: 'lost' }, { kind: 'cut off', bytes: 200 }]
    let asked = 0
    faulty.fault = (_operation, { url = '' }) => {
      // What a client downloads by a link breaks off between it and the store.
      if (new URL(url, faulty.endpoint).searchParams.has('X-Amz-Signature')) return undefined
      asked++
      return asked % 3 === 0 ? faults[(asked / 3) % faults.length] : undefined
    }
    for (let exports = 0; exports < 3; exports++) await isRight((await client.kickOff(patients)).job)
    assert.ok(asked > 20, `${asked} requests`)
  })

  it('is right when the bucket is gone and comes back', async () => {
    faulty.asked.length = 0
    faulty.fault = () => ({ kind: 'answered', status: 404, code: 'NoSuchBucket' })
    const { job } = await client.kickOff(patients)
    await until(async () => {
      const { rows } = await server.pool.query('select 1 from partition where job = $1 and attempt > 1', [jobIdOf(job)])
      return rows.length > 0
    }, 'it is tried again')
    faulty.heal()
    await isRight(job)
    assert.match(server.log, /NoSuchBucket/)
  })

  it('fails with a text that says what to do when access stays denied', async () => {
    faulty.fault = () => ({ kind: 'answered', status: 403, code: 'AccessDenied' })
    const { job } = await client.kickOff(patients)
    // Its tries are 2 s, 4 s, 6 s … apart: of those in the middle the test knows nothing new.
    await until(async () => {
      const sql = `update partition set spent = $2 where job = $1 and state = 'waiting' and attempt > 0`
      return (await server.pool.query(sql, [jobIdOf(job), 2 - partitionAttemptsMax])).rowCount === 1
    }, 'it was tried')
    for (;;) {
      const status = await fetch(job, { headers: { authorization: `Bearer ${token}` } })
      const text = await status.text()
      if (status.status === 500) {
        assert.match(
          text,
          /The store of the files of exports did not let the server write. Its operator must allow it./,
        )
        break
      }
      assert.ok([202, 429].includes(status.status), text)
      await pause(pauseMs)
    }
    faulty.heal()
    await until(async () => (await stored(job)).length === 0, 'nothing of it is left')
  })

  for (const operation of ['UploadPart', 'CompleteMultipartUpload'] as const) {
    it(`is taken up by the next server when one is killed while it waits for ${operation}`, async () => {
      faulty.asked.length = 0
      faulty.fault = (asked) => (asked === operation ? { kind: 'silent' } : undefined)
      const { job } = await client.kickOff(patients)
      await seen(operation)
      await server.kill('SIGKILL')
      assert.equal((await stored(job)).length, 1)
      faulty.heal()
      await server.spawn(flags)
      await isRight(job)
    })
  }

  it('is handed out again when the store is back: until then downloads are refused with a time, and /readyz says why', async () => {
    const { job } = await client.kickOff(patients)
    const { output } = await client.finished(job)
    const headers = { authorization: `Bearer ${token}`, 'accept-encoding': 'gzip' }
    const readyz = async () => (await (await fetch(`${server.url}/readyz`)).json()) as { readonly files?: string }
    faulty.fault = () => slowDown
    const answer = await fetch(output[0]!.url, { headers, redirect: 'manual' })
    assert.equal(answer.status, 503)
    assert.ok(Number(answer.headers.get('retry-after')) >= 1)
    assert.match(await answer.text(), /store cannot be reached at the moment. Ask again later/)
    await until(async () => (await readyz()).files === 'away', '/readyz tells it')
    assert.equal((await fetch(`${server.url}/readyz`)).status, 200)
    assert.match(server.log, /store of files cannot be used/)
    faulty.heal()
    await until(async () => (await readyz()).files === undefined, '/readyz tells of no trouble')
    await isRight(job)
  })

  it('does not begin where files cannot be kept: the start says why', async () => {
    await server.kill('SIGTERM')
    const elsewhere = ['--files', `s3://nobody-has-made-it?endpoint=${faulty.endpoint}`]
    await assert.rejects(server.spawn(elsewhere), /NoSuchBucket[\s\S]*Make the bucket, or name another one in --files/)
    const inClear = ['--files', 's3://exports?endpoint=http://s3.example.org']
    await assert.rejects(server.spawn(inClear), /in clear text[\s\S]*Write it with https:/)
  })
})
