import assert from 'node:assert/strict'
import { failJob } from '../../../src/jobs/job.ts'
import { exportedBy, finishedAnswer, finishedManifest, startExport } from '../exported.ts'
import { everyParameter, kickOffRequest } from '../kick-off.ts'
import { assertRefused, outcomeOf } from '../outcome.ts'
import { observation, patient, put, referenceTo } from '../resources.ts'
import type { Scenario } from '../scenario.ts'
import type { ScenarioSuite } from '../suite.ts'

const separate = { prefer: ['respond-async', 'separate-export-status'] }

async function openDocument(suite: ScenarioSuite, url: string): Promise<Readonly<Record<string, unknown>>> {
  const answer = await suite.send({ method: 'GET', url, headers: {} })
  assert.equal(answer.status, 200, answer.body.toString('utf8'))
  return JSON.parse(answer.body.toString('utf8'))
}

/** D17, D20, D22, D34: requests after the kick-off, and what the server says of itself. */
export const scopeScenarios: readonly Scenario[] = [
  {
    t: [165, 174, 175, 180],
    rules: ['D20', 'D20b', 'D22', 'G3'],
    does: 'status, files and DELETE with fewer scopes than the export',
    outcome: '403 each, and with all of them 200, the file itself, 202',
    run: async (suite) => {
      const scope = 'system/Patient.read system/Goal.read'
      const caller = await suite.newCaller('commons', scope)
      const status = await startExport(suite, caller)
      const { output } = await finishedManifest(suite, caller, status)
      const poorer = await suite.withScope(caller, 'system/Patient.read')
      for (const [method, url] of [
        ['GET', status],
        ['GET', output[0]!.url],
        ['DELETE', status],
      ] as const) {
        const answer = await suite.ask(poorer, method, url)
        assertRefused(answer, 403, 'forbidden')
        assert.equal(outcomeOf(answer)[0]?.diagnostics, 'Missing: system/Goal.read')
        assert.match(String(answer.headers['www-authenticate']), /error="insufficient_scope"/)
      }
      const file = await suite.ask(caller, 'GET', output[0]!.url)
      assert.equal(file.status, 200)
      assert.match(String(file.headers['content-type']), /^application\/fhir\+ndjson(;|$)/)
      const range = await suite.ask(caller, 'GET', output[0]!.url, { headers: { range: 'bytes=0-9' } })
      assert.deepEqual([range.status, range.body.length], [206, 10])
      assert.equal((await suite.send({ method: 'GET', url: output[0]!.url, headers: {} })).status, 401)
      assert.equal((await suite.ask(caller, 'DELETE', status)).status, 202)
      assertRefused(await suite.ask(caller, 'GET', output[0]!.url), 404, 'not-found')
    },
  },
  {
    t: [],
    rules: ['D20c', 'G6'],
    does: 'a Group export without the scope of Group',
    outcome: '403 in hl7, whether there is such a Group or not; not asked for in millennium',
    run: async (suite) => {
      const scope = 'system/Patient.read'
      const path = '/Group/no-such-group/$export'
      const headers = { accept: 'application/fhir+json', prefer: 'respond-async' }
      const hl7 = await suite.ask(await suite.newCaller('commons', scope), 'GET', path)
      assertRefused(hl7, 403, 'forbidden')
      assert.match(String(hl7.headers['www-authenticate']), /error="insufficient_scope"/)
      const millennium = await suite.ask(await suite.newCaller('clinic', scope), 'GET', path, { headers })
      assertRefused(millennium, 404, 'not-found')
      const with_ = await suite.newCaller('commons', `${scope} system/Group.rs`)
      assertRefused(await suite.ask(with_, 'GET', path), 404, 'not-found')
    },
  },
  {
    t: [165],
    rules: ['D20', 'D20b', 'D20c', '§10'],
    does: 'granular scopes of a Group and of a type, and narrower tokens afterwards',
    outcome: 'only Groups that may be read; status and files need as much as was exported',
    run: async (suite) => {
      const group = (id: string) => ({ resourceType: 'Group', id, member: [{ entity: referenceTo('Patient/sg') }] })
      await put(suite, [patient('sg'), observation('sg-o', 'sg'), group('sg-mine'), group('sg-theirs')], 'commons')
      const final = 'system/Observation.rs?status=final'
      const scope = `${final} system/Group.rs?_id=sg-mine`
      const caller = await suite.newCaller('commons', `${scope} system/*.read`)
      const some = await suite.withScope(caller, scope)
      assertRefused(await suite.ask(some, 'GET', '/Group/sg-theirs/$export'), 404, 'not-found')
      const answer = await suite.ask(some, 'GET', '/Group/sg-mine/$export')
      assert.equal(answer.status, 202, answer.body.toString('utf8'))
      const status = String(answer.headers['content-location'])
      const found = await exportedBy(suite, some, status)
      assert.deepEqual(found.ids('Observation'), ['sg-o'])
      const other = await suite.withScope(caller, 'system/Observation.rs?status=amended')
      for (const url of [status, found.manifest.output[0]!.url]) {
        assertRefused(await suite.ask(other, 'GET', url), 403, 'forbidden')
        assert.equal((await suite.ask(caller, 'GET', url)).status, 200, 'a wider token')
      }
    },
  },
  {
    t: [162, 163, 168],
    rules: ['D17', 'K8', 'P1'],
    does: 'Prefer: separate-export-status',
    outcome: 'Preference-Applied; 200 with X-Export-Status 202, 200 and 500',
    run: async (suite) => {
      const caller = await suite.newCaller('commons')
      await suite.hold(caller)
      const answer = await suite.send(await kickOffRequest(suite, caller, { headers: separate }))
      assert.equal(answer.status, 202)
      assert.equal(answer.headers['preference-applied'], 'respond-async, separate-export-status')
      const status = String(answer.headers['content-location'])
      const running = await suite.ask(caller, 'GET', status)
      assert.deepEqual([running.status, running.headers['x-export-status']], [200, '202 Accepted'])
      assert.match(String(running.headers['retry-after']), /^[1-9]/)
      assert.match(String(running.headers['x-progress']), /^\d+%/)
      assert.equal(outcomeOf(running)[0]?.code, 'informational')
      await failJob(suite.server.pool, status.split('/').at(-1)!, 'The disk is full.')
      const failed = await suite.ask(caller, 'GET', status)
      assert.deepEqual([failed.status, failed.headers['x-export-status']], [200, '500 Internal Server Error'])
      assert.equal(outcomeOf(failed)[0]?.severity, 'fatal')
      assertRefused(await suite.ask(caller, 'GET', `${status.slice(0, -1)}z`), 404, 'not-found')

      const second = await suite.newCaller('commons')
      const started = await startExport(suite, second, { headers: separate })
      const done = await finishedAnswer(
        suite,
        second,
        started,
        ({ status, headers }) => status !== 429 && headers['x-export-status'] !== '202 Accepted',
      )
      assert.deepEqual([done.status, done.headers['x-export-status']], [200, '200 OK'])
      assert.match(String(done.headers['content-type']), /^application\/json/)

      const plain = await suite.newCaller('clinic')
      const ignored = await suite.send(await kickOffRequest(suite, plain, { headers: separate }))
      assert.equal(ignored.headers['preference-applied'], undefined)
      const finished = await finishedAnswer(suite, plain, String(ignored.headers['content-location']))
      assert.equal(finished.headers['x-export-status'], undefined)
    },
  },
  {
    t: [189],
    rules: ['C1', 'C2', 'C3', 'C5', 'D34'],
    does: 'metadata and OperationDefinitions of a tenant with profile hl7',
    outcome: 'the three exports with the canonicals of the IG, and all parameters that are served',
    run: async (suite) => {
      const base = suite.base('commons')
      const statement = await openDocument(suite, `${base}/metadata`)
      assert.deepEqual(statement.instantiates, ['http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data'])
      type Operations = { operation?: { name: string; definition: string; documentation?: string }[] }
      const [rest] = statement.rest as [Operations & { resource: (Operations & { type: string })[] }]
      const found = [rest, ...rest.resource].flatMap(({ operation = [] }) => operation)
      assert.deepEqual(
        found,
        ['export', 'patient-export', 'group-export'].map((id) => ({
          name: 'export',
          definition: `http://hl7.org/fhir/uv/bulkdata/OperationDefinition/${id}`,
          ...(id === 'patient-export'
            ? {
                documentation:
                  'Patient/{id}/$export is served too: an export of this patient, with the same parameters but patient.',
              }
            : {}),
        })),
      )
      for (const [id, ...shape] of [
        ['patient-export', false, true, true],
        ['group-export', false, false, true],
        ['export', true, false, false],
      ] as const) {
        const definition = await openDocument(suite, `${base}/OperationDefinition/${id}`)
        assert.equal(definition.url, `${base}/OperationDefinition/${id}`)
        assert.deepEqual([definition.system, definition.type, definition.instance], shape)
        const parameters = (definition.parameter as { name: string; min: number; max: string }[]).map(
          ({ name, min, max }) => `${name} ${min}..${max}`,
        )
        assert.deepEqual(parameters, [
          ...(id === 'export' ? [] : ['patient 0..20000']),
          ...['_type 0..*', '_typeFilter 0..*', 'includeAssociatedData 0..*', '_since 0..1', '_until 0..1'],
          ...['_elements 0..*', 'organizeOutputBy 0..1', 'allowPartialManifests 0..1', '_outputFormat 0..1'],
        ])
      }
      for (const url of [
        `${suite.server.url}/r4/OperationDefinition/export`,
        `${suite.base('clinic')}/OperationDefinition/export`,
      ]) {
        assert.equal((await suite.send({ method: 'GET', url, headers: {} })).status, 404)
      }
    },
  },
  {
    t: [],
    rules: ['C2', '§11.3'],
    does: 'a kick-off with every parameter that the OperationDefinition names',
    outcome: '202: what is documented is served',
    run: async (suite) => {
      const { parameter } = await openDocument(suite, `${suite.base('commons')}/OperationDefinition/patient-export`)
      const names = (parameter as { name: string }[]).map(({ name }) => name)
      assert.deepEqual(Object.keys(everyParameter).sort(), names.filter((name) => name !== 'patient').sort())
      const caller = await suite.newCaller('commons')
      const status = await startExport(suite, caller, { parameters: Object.values(everyParameter) })
      assert.deepEqual((await exportedBy(suite, caller, status)).errors, [])
    },
  },
]
