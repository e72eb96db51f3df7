import assert from 'node:assert/strict'
import type { Answer } from '../exchange.ts'
import { startExport } from '../exported.ts'
import { assertRefused, outcomeOf } from '../outcome.ts'
import { condition, patient, put, type Resource } from '../resources.ts'
import type { Scenario } from '../scenario.ts'
import type { Caller, ScenarioSuite } from '../suite.ts'

const json = { 'content-type': 'application/fhir+json' }

type Headers = Readonly<Record<string, string>>

const create = (suite: ScenarioSuite, caller: Caller, type: string, resource: object, headers: Headers = {}) =>
  suite.ask(caller, 'POST', `/${type}`, { headers: { ...json, ...headers }, body: JSON.stringify(resource) })

const update = (suite: ScenarioSuite, caller: Caller, resource: Resource, headers: Headers = {}) =>
  suite.ask(caller, 'PUT', `/${resource.resourceType}/${resource.id}`, {
    headers: { ...json, ...headers },
    body: JSON.stringify(resource),
  })

const read = (suite: ScenarioSuite, caller: Caller, path: string, headers: Headers = {}) =>
  suite.ask(caller, 'GET', path, { headers })

const remove = (suite: ScenarioSuite, caller: Caller, path: string, headers: Headers = {}) =>
  suite.ask(caller, 'DELETE', path, { headers })

const parsed = ({ body }: Answer) => JSON.parse(body.toString('utf8'))

/** FHIR create, read, vread, update and delete. */
export const crudScenarios: readonly Scenario[] = [
  {
    t: [],
    rules: ['FHIR create'],
    does: 'create',
    outcome: '201 with Location, ETag, Last-Modified and an id of the server',
    run: async (suite) => {
      const caller = await suite.sharedCaller()
      const answer = await create(suite, caller, 'Patient', { resourceType: 'Patient', id: 'mine', active: true })
      assert.equal(answer.status, 201)
      const { id, meta, active } = parsed(answer)
      assert.notEqual(id, 'mine')
      assert.equal(active, true)
      assert.equal(meta.versionId, '1')
      assert.equal(answer.headers.etag, 'W/"1"')
      assert.equal(answer.headers.location, `${suite.base('clinic')}/Patient/${id}/_history/1`)
      assert.equal(answer.headers['last-modified'], new Date(meta.lastUpdated).toUTCString())
      assert.deepEqual((await read(suite, caller, `/Patient/${id}`)).body, answer.body)
    },
  },
  {
    t: [],
    rules: ['FHIR update'],
    does: 'update of a new, a changed, an unchanged and a deleted resource',
    outcome: '201, 200, 200 without a new version, 201',
    run: async (suite) => {
      const caller = await suite.sharedCaller()
      const first = await update(suite, caller, patient('crud-update'))
      assert.deepEqual([first.status, first.headers.etag], [201, 'W/"1"'])
      const changed = { ...patient('crud-update'), active: true }
      const second = await update(suite, caller, changed)
      assert.deepEqual([second.status, second.headers.etag, parsed(second).meta.versionId], [200, 'W/"2"', '2'])
      const same = await suite.ask(caller, 'PUT', '/Patient/crud-update', { headers: json, body: second.body })
      assert.deepEqual([same.status, same.headers.etag], [200, 'W/"2"'])
      assert.equal((await remove(suite, caller, '/Patient/crud-update')).status, 204)
      const again = await update(suite, caller, changed)
      assert.deepEqual([again.status, again.headers.etag], [201, 'W/"4"'])
    },
  },
  {
    t: [],
    rules: ['FHIR read', 'FHIR vread'],
    does: 'read and vread of an updated resource while an export needs the old version',
    outcome: '200 each; 304; 404 for a version that never was',
    run: async (suite) => {
      const caller = await suite.sharedCaller()
      const first = await update(suite, caller, patient('crud-read'))
      const exporter = await suite.newCaller()
      await suite.hold(exporter)
      await startExport(suite, exporter)
      const second = await update(suite, caller, { ...patient('crud-read'), active: true })
      const current = await read(suite, caller, '/Patient/crud-read')
      assert.deepEqual([current.status, current.headers.etag, current.body], [200, 'W/"2"', second.body])
      assert.deepEqual((await read(suite, caller, '/Patient/crud-read/_history/1')).body, first.body)
      assert.deepEqual((await read(suite, caller, '/Patient/crud-read/_history/2')).body, second.body)
      assert.equal((await read(suite, caller, '/Patient/crud-read', { 'if-none-match': 'W/"2"' })).status, 304)
      assertRefused(await read(suite, caller, '/Patient/crud-read/_history/3'), 404, 'not-found')
      assertRefused(await read(suite, caller, '/Patient/crud-read/_history/x'), 404, 'not-found')
    },
  },
  {
    t: [],
    rules: ['FHIR delete'],
    does: 'delete, read, delete again',
    outcome: '204, 410 deleted, 204',
    run: async (suite) => {
      const caller = await suite.sharedCaller()
      await put(suite, [patient('crud-delete')])
      assert.equal((await remove(suite, caller, '/Patient/crud-delete')).status, 204)
      assertRefused(await read(suite, caller, '/Patient/crud-delete'), 410, 'deleted')
      assertRefused(await read(suite, caller, '/Patient/crud-delete/_history/2'), 410, 'deleted')
      assert.equal((await remove(suite, caller, '/Patient/crud-delete')).status, 204)
      assert.equal((await remove(suite, caller, '/Patient/crud-never-was')).status, 204)
    },
  },
  {
    t: [],
    rules: ['FHIR read'],
    does: 'read of what never was, of what is no type, of another tenant',
    outcome: '404 not-found',
    run: async (suite) => {
      await put(suite, [patient('crud-next-door')], 'neighbour')
      const caller = await suite.sharedCaller()
      for (const path of ['/Patient/crud-never-was', '/patient/x', '/Patient/a_b', '/Patient/crud-next-door']) {
        assertRefused(await read(suite, caller, path), 404, 'not-found')
      }
    },
  },
  {
    t: [],
    rules: ['FHIR If-Match'],
    does: 'update and delete with If-Match of the current, an old, an impossible version, of what is not there',
    outcome: '200 and 204; 412 conflict; 400; 412',
    run: async (suite) => {
      const caller = await suite.sharedCaller()
      const at = '/Patient/crud-match'
      await put(suite, [patient('crud-match')])
      const changed = { ...patient('crud-match'), active: true }
      assert.equal((await update(suite, caller, changed, { 'if-match': 'W/"1"' })).status, 200)
      assertRefused(await update(suite, caller, patient('crud-match'), { 'if-match': 'W/"1"' }), 412, 'invalid')
      assertRefused(await remove(suite, caller, at, { 'if-match': 'W/"1"' }), 412, 'invalid')
      assertRefused(await update(suite, caller, changed, { 'if-match': 'yesterday' }), 400, 'invalid')
      assertRefused(await remove(suite, caller, at, { 'if-match': '*' }), 400, 'invalid')
      assertRefused(await update(suite, caller, patient('crud-unborn'), { 'if-match': 'W/"1"' }), 412, 'invalid')
      assert.equal((await remove(suite, caller, at, { 'if-match': 'W/"2"' })).status, 204)
    },
  },
  {
    t: [],
    rules: ['FHIR create', 'FHIR update'],
    does: 'bodies that are not JSON, no resource, of another type, of another id, of a wrong media type',
    outcome: '400 and 415',
    run: async (suite) => {
      const caller = await suite.sharedCaller()
      const post = (body: string, headers: Headers = json) => suite.ask(caller, 'POST', '/Patient', { headers, body })
      for (const body of [
        '',
        'x',
        '[]',
        'null',
        '{}',
        '{"resourceType":"Group"}',
        '{"resourceType":"Patient","meta":1}',
      ]) {
        assertRefused(await post(body), 400, 'invalid')
      }
      assertRefused(await post('{"resourceType":"Patient","active":true,"active":false}'), 400, 'invalid')
      const deep = `${'['.repeat(1_000)}${']'.repeat(1_000)}`
      assertRefused(await post(`{"resourceType":"Patient","extension":${deep}}`), 400, 'invalid')
      assertRefused(await post('{"resourceType":"Patient"}', { 'content-type': 'text/plain' }), 415, 'invalid')
      const body = JSON.stringify(patient('crud-other'))
      assertRefused(await suite.ask(caller, 'PUT', '/Patient/crud-this', { headers: json, body }), 400, 'invalid')
      const nameless = '{"resourceType":"Patient"}'
      assertRefused(
        await suite.ask(caller, 'PUT', '/Patient/crud-this', { headers: json, body: nameless }),
        400,
        'invalid',
      )
    },
  },
  {
    t: [],
    rules: ['§10', 'FHIR'],
    does: 'reading with a write scope, writing with a read scope or with half of the letters',
    outcome: '403 forbidden',
    run: async (suite) => {
      await put(suite, [patient('crud-scope')])
      const writer = await suite.newCaller('clinic', 'system/Patient.write')
      const reader = await suite.newCaller('clinic', 'system/Patient.read system/Condition.cu')
      assertRefused(await read(suite, writer, '/Patient/crud-scope'), 403, 'forbidden')
      assertRefused(await update(suite, reader, patient('crud-scope')), 403, 'forbidden')
      assertRefused(await remove(suite, reader, '/Patient/crud-scope'), 403, 'forbidden')
      assertRefused(await create(suite, reader, 'Condition', { resourceType: 'Condition' }), 403, 'forbidden')
      assertRefused(await create(suite, writer, 'Condition', { resourceType: 'Condition' }), 403, 'forbidden')
      assert.equal((await read(suite, reader, '/Patient/crud-scope')).status, 200)
      const sender = await suite.newCaller('clinic', 'system/Condition.cud')
      assert.equal((await update(suite, sender, condition('crud-scope-1', 'crud-scope'))).status, 201)
    },
  },
  {
    t: [],
    rules: ['§2.6', 'FHIR'],
    does: 'methods that a path does not have',
    outcome: '405 with Allow',
    run: async (suite) => {
      const caller = await suite.sharedCaller()
      const allowed = {
        'PATCH /Patient/minimal': 'GET, PUT, DELETE, HEAD',
        'POST /Patient/minimal': 'GET, PUT, DELETE, HEAD',
        'GET /Patient': 'POST, PUT, DELETE',
        'PUT /Patient/minimal/_history/1': 'GET, HEAD',
      }
      for (const [request, allow] of Object.entries(allowed)) {
        const [method = '', path = ''] = request.split(' ')
        const answer = await suite.ask(caller, method, path)
        assertRefused(answer, 405, 'not-supported')
        assert.equal(answer.headers.allow, allow)
      }
    },
  },
  {
    t: [],
    rules: ['§4'],
    does: 'a Binary for FHIR JSON and for its own media type',
    outcome: 'the resource; the bytes',
    run: async (suite) => {
      const data = Buffer.from('plain text').toString('base64')
      await put(suite, [{ resourceType: 'Binary', id: 'crud-binary', contentType: 'text/plain', data }])
      const caller = await suite.sharedCaller()
      const resource = await read(suite, caller, '/Binary/crud-binary', { accept: 'application/fhir+json' })
      assert.equal(parsed(resource).data, data)
      const bytes = await read(suite, caller, '/Binary/crud-binary', { accept: 'text/plain' })
      assert.equal(bytes.body.toString('utf8'), 'plain text')
      assert.equal(bytes.headers['content-type'], 'text/plain')
    },
  },
  {
    t: [192],
    rules: ['§8.1'],
    does: 'a request that fails inside the server',
    outcome: '500 exception, fatal, with the request id and nothing of the inside',
    run: async (suite) => {
      await put(suite, [{ resourceType: 'Binary', id: 'crud-broken' }])
      await suite.server.pool.query(`update record set body = 'broken' where type = 'Binary' and id = 'crud-broken'`)
      const caller = await suite.sharedCaller()
      const answer = await read(suite, caller, '/Binary/crud-broken', { accept: 'text/plain' })
      assert.equal(answer.status, 500)
      const [issue] = outcomeOf(answer)
      assert.equal(issue?.code, 'exception')
      assert.ok(issue.diagnostics?.includes(String(answer.headers['x-request-id'])))
      assert.doesNotMatch(answer.body.toString('utf8'), /JSON|broken|src\//)
    },
  },
]
