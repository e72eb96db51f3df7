import assert from 'node:assert/strict'
import type { Answer } from '../exchange.ts'
import { type Exported, exportedBy, startExport } from '../exported.ts'
import { kickOffRequest } from '../kick-off.ts'
import { outcomeOf } from '../outcome.ts'
import { condition, patient, put, type Resource, referenceTo } from '../resources.ts'
import type { Scenario } from '../scenario.ts'
import type { Caller, ScenarioSuite } from '../suite.ts'

const group = (id: string, members: readonly object[]): Resource => ({
  resourceType: 'Group',
  id,
  type: 'person',
  actual: true,
  ...(members.length === 0 ? {} : { member: members }),
})

const member = (reference: string, more: object = {}) => ({ entity: referenceTo(reference), ...more })

const headers = { accept: 'application/fhir+json', prefer: 'respond-async' }

function kickOffGroup(suite: ScenarioSuite, caller: Caller, id: string, query = ''): Promise<Answer> {
  return suite.ask(caller, 'GET', `/Group/${id}/$export${query}`, { headers })
}

async function groupExport(suite: ScenarioSuite, id: string, query = ''): Promise<Exported> {
  const caller = await suite.newCaller()
  const answer = await kickOffGroup(suite, caller, id, query)
  assert.equal(answer.status, 202, answer.body.toString('utf8'))
  return exportedBy(suite, caller, String(answer.headers['content-location']))
}

/** `GET Group/{id}/$export` (protocol §1, 2): the members at kick-off, and never anybody else. */
export const groupScenarios: readonly Scenario[] = [
  {
    t: [],
    rules: ['§1', 'K2'],
    does: 'a Group with active, inactive, nested and foreign members and a circle',
    outcome: 'the active patients of all its Groups, once',
    run: async (suite) => {
      const inner = group('g-inner', [member('Patient/g2'), member('Patient/g1'), member('Group/g-outer')])
      const members = [
        member('Patient/g1'),
        member('Patient/g3', { inactive: true }),
        member('Practitioner/x'),
        member(`${suite.base('clinic')}/Patient/g4`),
        member('Group/g-inner'),
      ]
      const people = ['g1', 'g2', 'g3', 'g4', 'g5'].map(patient)
      await put(suite, [...people, condition('gc1', 'g1'), condition('gc5', 'g5'), inner, group('g-outer', members)])
      const found = await groupExport(suite, 'g-outer', '?_type=Patient,Condition')
      assert.deepEqual(found.ids('Patient'), ['g1', 'g2', 'g4'])
      assert.deepEqual(found.ids('Condition'), ['gc1'])
      assert.equal(found.manifest.request, `${suite.base('clinic')}/Group/g-outer/$export?_type=Patient,Condition`)
      assert.deepEqual(found.errors, [])
    },
  },
  {
    t: [],
    rules: ['§1'],
    does: 'an empty Group, and one whose members are not in the store',
    outcome: 'no data, never everyone, and the `error` file says why',
    run: async (suite) => {
      await put(suite, [group('g-empty', []), group('g-strangers', [member('Patient/nobody-1')])])
      const empty = await groupExport(suite, 'g-empty')
      assert.deepEqual(empty.manifest.output, [])
      assert.equal(empty.errors.length, 1)
      const strangers = await groupExport(suite, 'g-strangers')
      assert.deepEqual(strangers.manifest.output, [])
      assert.deepEqual(
        strangers.errors.map(({ severity, code, diagnostics }) => [severity, code, diagnostics]),
        [
          ['warning', 'not-found', 'Patient/nobody-1'],
          ['warning', 'not-found', undefined],
        ],
      )
    },
  },
  {
    t: [],
    rules: ['§1', '§8.1'],
    does: 'a Group that does not exist, wrong parameters and methods',
    outcome: '404, 400 with every problem, 405',
    run: async (suite) => {
      const caller = await suite.newCaller()
      const missing = await kickOffGroup(suite, caller, 'g-none')
      assert.equal(missing.status, 404)
      assert.equal(outcomeOf(missing)[0]?.code, 'not-found')
      const wrong = await kickOffGroup(suite, caller, 'g-none', '?_type=Foo&_since=2021&patient=Patient/1&colour=red')
      assert.equal(wrong.status, 400)
      assert.equal(outcomeOf(wrong).length, 4)
      const url = `${suite.base('clinic')}/Group/g-none/$export`
      const posted = await suite.send({ method: 'POST', url, headers })
      assert.equal(posted.status, 405)
      assert.equal(posted.headers.allow, 'GET')
    },
  },
  {
    t: [],
    rules: ['S-44', 'S-47', '§2.3'],
    does: 'a plus sign that is not percent-encoded in _since and _outputFormat',
    outcome: '202',
    run: async (suite) => {
      await put(suite, [patient('g6'), group('g-plus', [member('Patient/g6')])])
      const query = '?_since=2021-03-18T19:19:42+02:00&_outputFormat=application/fhir+ndjson'
      const found = await groupExport(suite, 'g-plus', query)
      assert.deepEqual(found.ids('Patient'), ['g6'])
    },
  },
  {
    t: [160],
    rules: ['S-5', '§2.5'],
    does: 'a Group export while a Patient export runs',
    outcome: '429 throttled',
    run: async (suite) => {
      await put(suite, [patient('g7'), group('g-busy', [member('Patient/g7')])])
      const caller = await suite.newCaller()
      await suite.hold(caller)
      await startExport(suite, caller)
      const answer = await kickOffGroup(suite, caller, 'g-busy')
      assert.equal(answer.status, 429)
      assert.equal(outcomeOf(answer)[0]?.code, 'throttled')
      assert.equal((await suite.send(await kickOffRequest(suite, caller))).status, 429)
    },
  },
  {
    t: [189],
    rules: ['§1', 'D34'],
    does: 'OperationDefinition/group-export without a token',
    outcome: '200, for one Group, without `patient`',
    run: async (suite) => {
      const url = `${suite.server.url}/r4/OperationDefinition/group-export`
      const answer = await suite.send({ method: 'GET', url: `${url}?_format=json`, headers: {} })
      assert.equal(answer.status, 200)
      const definition = JSON.parse(answer.body.toString('utf8'))
      assert.deepEqual([definition.url, definition.resource, definition.instance], [url, ['Group'], true])
      assert.ok(definition.parameter.every(({ name }: { name: string }) => name !== 'patient'))
    },
  },
]
