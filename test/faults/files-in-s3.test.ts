import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { DeleteObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3'
import { gatewaySkipped } from '../../src/files/s3/gateway.fixture.ts'
import { credentialsOf, type GatewayBucket, openBucket } from '../../src/files/s3/gateway-bucket.fixture.ts'
import { TestServer } from '../server.ts'
import { PatientClient, until } from '../simulation/patient-client.ts'

const answerMsMax = 120_000

describe('files of exports in S3', { skip: gatewaySkipped }, () => {
  let bucket: GatewayBucket
  let server: TestServer
  let token: string
  let client: PatientClient

  before(async () => {
    Object.assign(process.env, credentialsOf('owner'))
    bucket = await openBucket()
    server = await TestServer.start(['--workers', '1', '--files', `s3://${bucket.name}/of?endpoint=${bucket.endpoint}`])
    await server.addTenant('clinic')
    token = await server.token(await server.addClient('clinic'))
    client = new PatientClient(server, 'clinic', token)
    for (const id of ['p1', 'p2']) await put({ resourceType: 'Patient', id })
  })
  after(async () => {
    await server?.stop()
    bucket?.close()
  })

  async function put(record: { resourceType: string; id: string }): Promise<void> {
    const url = `${server.base('clinic')}/${record.resourceType}/${record.id}`
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' }
    assert.ok((await fetch(url, { method: 'PUT', headers, body: JSON.stringify(record) })).ok)
  }

  /** @returns the URL of the one file */
  async function exported(): Promise<string> {
    const { output } = await client.finished((await client.kickOff(['p1', 'p2'])).job)
    assert.equal(output.length, 1)
    return output[0]!.url
  }

  const link = (url: string, coding: string, method = 'GET') =>
    fetch(url, {
      method,
      headers: { authorization: `Bearer ${token}`, 'accept-encoding': coding },
      redirect: 'manual',
      signal: AbortSignal.timeout(answerMsMax),
    })

  async function keys(): Promise<string[]> {
    const { Contents = [] } = await bucket.owner.send(new ListObjectsV2Command({ Bucket: bucket.name }))
    return Contents.map(({ Key = '' }) => Key)
  }

  /** Where the one part of a file lies. */
  async function keyOf(url: string): Promise<string> {
    const { rows } = await server.pool.query('select path from part where id = $1', [url.split('/').at(-1)])
    return (await keys()).find((key) => key.endsWith(rows[0].path))!
  }

  const idsIn = (lines: string) =>
    lines
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).id as string)
      .sort()

  it('are handed out by the store itself to who takes gzip, by a link of 300 seconds, with ranges', async () => {
    const url = await exported()
    const answer = await link(url, 'gzip')
    assert.equal(answer.status, 307)
    const location = answer.headers.get('location')!
    assert.ok(location.startsWith(`${bucket.endpoint}/${bucket.name}/of/`))
    assert.equal(new URL(location).searchParams.get('X-Amz-Expires'), '300')
    const content = await fetch(location)
    assert.match(content.headers.get('content-type')!, /^application\/fhir\+ndjson/)
    assert.equal(content.headers.get('content-encoding'), 'gzip')
    assert.deepEqual(idsIn(await content.text()), ['p1', 'p2'])
    const range = await fetch(location, { headers: { range: 'bytes=0-1', 'accept-encoding': 'gzip' } })
    assert.deepEqual([range.status, range.headers.get('content-length')], [206, '2'])
    await range.body?.cancel().catch(() => {})
    const head = await link(url, 'gzip', 'HEAD')
    assert.equal((await fetch(head.headers.get('location')!, { method: 'HEAD' })).status, 200)
    assert.deepEqual(idsIn((await client.lines({ type: 'Patient', url, count: 2 })).join('\n')), ['p1', 'p2'])
  })

  it('the audit trail tells which links lead to the store', async () => {
    const url = await exported()
    for (const coding of ['gzip', 'identity']) await link(url, coding)
    const sql = `select entry::jsonb from audit_entry where entry::jsonb ->> 'kind' = 'link' and entry like $1 order by number`
    const { rows } = await server.pool.query(sql, [`%${url.split('/').at(-1)}%`])
    assert.deepEqual(
      rows.map(({ entry }) => entry.detail),
      [{ type: 'Patient', store: true }, { type: 'Patient' }],
    )
  })

  it('come from this server for who does not', async () => {
    const location = (await link(await exported(), 'identity')).headers.get('location')!
    assert.ok(location.startsWith(`${server.url}/content/`))
    const content = await fetch(location, { headers: { 'accept-encoding': 'identity' } })
    assert.deepEqual(idsIn(await content.text()), ['p1', 'p2'])
  })

  it('nothing is left of access but the files, and no link is in the log', async () => {
    assert.ok((await keys()).every((key) => /^of\/[^/]+\/[0-9a-f-]{36}\/\d+-\d+\/Patient-0.ndjson.gz$/.test(key)))
    assert.doesNotMatch(server.log, /Amz-Signature/)
  })

  for (const [how, damage] of [
    ['gone', (key: string) => bucket.owner.send(new DeleteObjectCommand({ Bucket: bucket.name, Key: key }))],
    ['cut off', (key: string) => bucket.owner.send(new PutObjectCommand({ Bucket: bucket.name, Key: key, Body: 'x' }))],
  ] as const) {
    it(`are made again before a link is given when the object is ${how}`, async () => {
      const url = await exported()
      const before = await keyOf(url)
      await damage(before)
      const refused = await link(url, 'gzip')
      assert.equal(refused.status, 503)
      assert.match(await refused.text(), /is being made again/)
      assert.deepEqual(idsIn((await client.lines({ type: 'Patient', url, count: 2 })).join('\n')), ['p1', 'p2'])
      assert.notEqual(await keyOf(url), before)
      await until(async () => !(await keys()).includes(before), 'the attempt before is removed')
    })
  }

  it('go with their job', async () => {
    const { job } = await client.kickOff(['p1'])
    await client.finished(job)
    const id = job.split('/').at(-1)!
    const left = async () => (await keys()).filter((key) => key.includes(id)).length
    assert.equal(await left(), 1)
    assert.equal(await client.status('DELETE', job), 202)
    await until(async () => (await left()) === 0, 'its objects are removed')
  })

  it('/readyz tells of no trouble', async () => {
    assert.deepEqual(await (await fetch(`${server.url}/readyz`)).json(), { status: 'ok' })
  })

  it('are found by a server that begins where another one was killed', async () => {
    const url = await exported()
    await server.kill('SIGKILL')
    await server.spawn(['--workers', '1', '--files', `s3://${bucket.name}/of?endpoint=${bucket.endpoint}&links=0`])
    const location = (await link(url, 'gzip')).headers.get('location')!
    assert.ok(location.startsWith(`${server.url}/content/`))
    const content = await fetch(location, { headers: { 'accept-encoding': 'gzip' } })
    assert.deepEqual(idsIn(await content.text()), ['p1', 'p2'])
  })
})
