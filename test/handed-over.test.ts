import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ownBodyBytesMax } from '../src/http/request-threads/hand-over.ts'
import { type Answer, closeConnections, exchange } from './scenarios/exchange.ts'
import { TestServer } from './server.ts'

let server: TestServer
const tokens: Record<'writer' | 'reader' | 'granular', string> = { writer: '', reader: '', granular: '' }

before(async () => {
  server = await TestServer.start()
  await server.addTenant('clinic')
  const token = async (scope: string) => server.token(await server.addClient('clinic', scope), scope)
  tokens.writer = await token('system/*.read system/*.write')
  tokens.reader = await token('system/*.read')
  tokens.granular = await token('system/Patient.rs?gender=male system/Patient.write')
})
after(async () => {
  closeConnections()
  await server.stop()
})

interface Row {
  readonly does: string
  readonly method: 'PUT' | 'POST'
  readonly path: string
  readonly status: number
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
  readonly by?: keyof typeof tokens
}

const patient = (more: object, id = 'ID') => JSON.stringify({ resourceType: 'Patient', id, ...more })
const put = (does: string, status: number, body: string, headers = {}, by?: keyof typeof tokens): Row => ({
  ...{ does, method: 'PUT', path: '/Patient/ID', status, body, headers },
  ...(by ? { by } : {}),
})
const bundle = (does: string, status: number, type: string, entry: readonly object[]): Row => ({
  ...{ does, method: 'POST', path: '', status },
  body: JSON.stringify({ resourceType: 'Bundle', type, entry }),
})
const named = { identifier: [{ system: 'http://x.example', value: 'ID' }] }
const query = 'identifier=http://x.example|ID'

/** In their order; ID is another one for each of the two. */
const rows: readonly Row[] = [
  put('create', 201, patient(named)),
  put('no change', 200, patient(named)),
  put('change', 200, patient({ ...named, active: true }), { 'if-match': 'W/"1"' }),
  put('a version that is not current', 412, patient({ active: false }), { 'if-match': 'W/"7"' }),
  put('If-Match that names no version', 400, patient({}), { 'if-match': 'seven' }),
  put('the id of another', 400, patient({}, 'other')),
  put('another type', 400, JSON.stringify({ resourceType: 'Basic', id: 'ID' })),
  put('no JSON', 400, '{"resourceType":"Patient",,}'),
  put('a member twice', 400, '{"resourceType":"Patient","id":"ID","name":[{"text":"a","text":"b"}]}'),
  put('no FHIR JSON', 415, patient({}), { 'content-type': 'text/plain' }),
  put('a token that may only read', 403, patient({}), {}, 'reader'),
  {
    does: 'found',
    method: 'POST',
    path: '/Patient',
    status: 200,
    body: patient({}),
    headers: { 'if-none-exist': query },
  },
  { does: 'conditional update', method: 'PUT', path: `/Patient?${query}`, status: 200, body: patient(named) },
  {
    ...{ does: 'a condition of one who may not read all', method: 'PUT', path: `/Patient?${query}`, status: 403 },
    ...{ body: patient(named), by: 'granular' },
  },
  bundle('transaction', 200, 'transaction', [
    { fullUrl: 'urn:uuid:1', request: { method: 'POST', url: 'Patient' }, resource: { resourceType: 'Patient' } },
    {
      request: { method: 'PUT', url: 'Condition/ID' },
      resource: { resourceType: 'Condition', id: 'ID', subject: { reference: 'urn:uuid:1' } },
    },
  ]),
  bundle('a transaction with a fault', 400, 'transaction', [
    { request: { method: 'PUT', url: 'Patient/ID' }, resource: { resourceType: 'Patient', id: 'other' } },
  ]),
  bundle('batch', 200, 'batch', [
    { request: { method: 'PUT', url: 'Patient/ID' }, resource: { resourceType: 'Patient', id: 'other' } },
    { request: { method: 'GET', url: 'Patient/ID' } },
    { request: { method: 'GET', url: 'Patient/nobody' } },
    { request: { method: 'DELETE', url: 'Patient/ID' } },
  ]),
  { does: 'a path that is no id', method: 'PUT', path: '/Patient/a%2Fb', status: 400, body: patient({}) },
]

async function answered({ method, path, body, headers = {}, by = 'writer' }: Row, id: string, pad: number) {
  const answer = await exchange({
    method,
    url: `${server.base('clinic')}${path.replaceAll('ID', id)}`,
    headers: {
      authorization: `Bearer ${tokens[by]}`,
      'content-type': 'application/fhir+json',
      ...headersOf(headers, id),
    },
    body: body.replaceAll('ID', id) + ' '.repeat(pad),
  })
  return comparable(answer, id)
}

const headersOf = (headers: Readonly<Record<string, string>>, id: string) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.replaceAll('ID', id)]))

/** An answer without what differs between any two. */
function comparable({ status, headers, body }: Answer, id: string) {
  const { date: _date, 'x-request-id': _id, 'opc-request-id': _opc, 'last-modified': _modified, ...others } = headers
  // A time of a whole second is shorter than others.
  const { 'content-length': _length, ...rest } = others
  const text = JSON.stringify({ rest, body: body.toString() })
  const times = /\d{4}-\d\d-\d\dT[\d:.]+Z/g
  return {
    status,
    text: text
      .replaceAll(id, 'ID')
      .replaceAll(times, 'TIME')
      .replaceAll(/[\da-f-]{36}/g, 'UUID'),
  }
}

// The ids of the two are of letters that no UUID has: there they would be taken for a part of it.
for (const row of rows) {
  test(`a large body is answered by its thread as a small one is here: ${row.does}`, async () => {
    const here = await answered(row, 'xyx', 0)
    assert.equal(here.status, row.status, here.text)
    assert.deepEqual(await answered(row, 'yxy', ownBodyBytesMax), here)
  })
}

test('writes of both are in the audit trail, each once, and nothing has failed', async () => {
  const { rows } = await server.pool.query(
    `select count(*)::int as count from audit_entry where tenant = 'clinic' and entry::jsonb ->> 'outcome' = 'success'
       and entry::jsonb ->> 'kind' = 'write' group by entry::jsonb -> 'detail' order by 1`,
  )
  assert.ok(
    rows.every(({ count }) => count % 2 === 0),
    JSON.stringify(rows),
  )
  assert.doesNotMatch(server.log, /request failed/)
})
