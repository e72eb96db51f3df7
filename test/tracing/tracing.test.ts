import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { TestServer } from '../server.ts'
import { idOf, PatientClient } from '../simulation/patient-client.ts'
import type { WrittenSpan } from './spans-to-file.ts'

const preloaded = new URL('./spans-to-file.ts', import.meta.url)
const pollMs = 20
const serverKind = 1

const caller = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' }
const traceparent = `00-${caller.traceId}-${caller.spanId}-01`

describe('traces of a server whose operator has loaded an SDK', { timeout: 600_000 }, () => {
  let server: TestServer
  let file: string
  let token: string
  let patients: PatientClient

  before(async () => {
    server = await TestServer.start(['--workers', '1'])
    await server.kill('SIGTERM')
    file = join(server.directory, 'spans')
    const environment = { NODE_OPTIONS: `--import=${preloaded.href}`, SPANS_FILE: file }
    await server.spawn(['--workers', '1'], { environment })
    await server.addTenant('private-clinic')
    token = await server.token(await server.addClient('private-clinic'))
    patients = new PatientClient(server, 'private-clinic', token)
  })
  after(() => server.stop())

  const spans = (): WrittenSpan[] =>
    readFileSync(file, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line))

  /** The first span that is sought, as soon as it is there: it is written when its answer has left. */
  async function found(wanted: (span: WrittenSpan) => boolean): Promise<WrittenSpan> {
    for (;;) {
      const span = spans().find(wanted)
      if (span) return span
      await pause(pollMs)
    }
  }

  const send = (method: string, path: string, body?: string, more: Record<string, string> = {}) =>
    fetch(`${server.base('private-clinic')}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json', ...more },
      ...(body === undefined ? {} : { body }),
    })

  it('a request is one trace, with its statements; it goes on in the trace of its caller', async () => {
    const body = JSON.stringify({ resourceType: 'Patient', id: 'hidden-person' })
    const answer = await send('PUT', '/Patient/hidden-person', body, { traceparent, 'x-request-id': 'of-the-proxy' })
    assert.equal(answer.status, 201)
    const request = await found(({ traceId, kind }) => traceId === caller.traceId && kind === serverKind)
    assert.equal(request.name, 'PUT /r4/:tenant/:type/:id')
    assert.equal(request.parent, caller.spanId)
    const id = answer.headers.get('x-request-id')
    assert.deepEqual(request.attributes, {
      'http.request.method': 'PUT',
      'http.route': '/r4/:tenant/:type/:id',
      'url.scheme': 'http',
      'millrace.request.id': id,
      'http.response.status_code': 201,
    })
    const statements = spans().filter((span) => span.traceId === caller.traceId && span.parent === request.spanId)
    const names = statements.map(({ name }) => name)
    for (const name of ['BEGIN', 'COPY record', 'COMMIT']) assert.ok(names.includes(name), names.join())
    const lineOf = () => server.log.split('\n').find((text) => text.includes(`"reqId":"${id}"`) && text.endsWith('}'))
    while (lineOf() === undefined) await pause(pollMs)
    const { callerReqId, traceId, status } = JSON.parse(lineOf()!)
    assert.deepEqual([callerReqId, traceId, status], ['of-the-proxy', caller.traceId, 201])
  })

  it('a request that another thread carries out is the same trace there', async () => {
    const filler = 'x'.repeat(40_000)
    const body = JSON.stringify({ resourceType: 'Basic', id: 'large', text: { status: 'empty', div: filler } })
    assert.equal((await send('PUT', '/Basic/large', body)).status, 201)
    const requests = () => spans().filter(({ kind, name }) => kind === serverKind && name.startsWith('PUT'))
    while (requests().length < 2) await pause(pollMs)
    const { traceId, spanId } = requests()[1]!
    const below = spans().filter((span) => span.traceId === traceId && span.parent === spanId)
    assert.ok(
      below.some(({ name }) => name.startsWith('INSERT') || name.startsWith('SELECT')),
      JSON.stringify(below),
    )
  })

  it('an export is a trace for its plan and one for each partition, linked to the kick-off', async () => {
    const { job } = await patients.kickOff(['hidden-person'])
    await patients.finished(job)
    const kickOff = await found(({ name }) => name === 'POST /r4/:tenant/Patient/$export')
    const ofJob = () => spans().filter(({ attributes }) => attributes['millrace.job'] === idOf(job))
    while (ofJob().length < 3) await pause(pollMs)
    const [plan, ...partitions] = ofJob()
    assert.deepEqual(
      [plan!.name, ...partitions.map(({ name, attributes }) => `${name} ${attributes['millrace.partition.kind']}`)],
      ['export plan', 'export partition owners', 'export partition references'],
    )
    const link = `${kickOff.traceId} ${kickOff.spanId}`
    for (const span of [plan!, ...partitions]) assert.deepEqual([span.links, span.parent], [[link], undefined])
    assert.equal(new Set([kickOff, plan!, ...partitions].map(({ traceId }) => traceId)).size, 4)
    assert.equal(partitions[0]!.attributes['millrace.records'], 1)
    const [owners] = partitions
    assert.ok(spans().some(({ traceId, name }) => traceId === owners!.traceId && name === 'UPDATE partition'))
  })

  it('no span names a patient, tenant or token', () => {
    const text = readFileSync(file, 'utf8')
    for (const name of ['hidden-person', 'private-clinic', token]) assert.ok(!text.includes(name), name)
  })

  it('without an SDK there are none, and a job keeps the trace of its caller all the same', async () => {
    await server.kill('SIGTERM')
    await server.spawn(['--workers', '1'])
    const before = spans().length
    const parameter = [{ name: 'patient', valueReference: { reference: 'Patient/hidden-person' } }]
    const body = JSON.stringify({ resourceType: 'Parameters', parameter })
    const asked = { accept: 'application/fhir+json', prefer: 'respond-async', traceparent }
    assert.equal((await send('POST', '/Patient/$export', body, asked)).status, 202)
    const { rows } = await server.pool.query('select traceparent from job order by created desc limit 1')
    assert.deepEqual(rows, [{ traceparent }])
    assert.equal(spans().length, before)
  })
})
