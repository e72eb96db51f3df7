import assert from 'node:assert/strict'
import { groupDepthMax } from '../../../src/protocol/limits.ts'
import type { Answer } from '../exchange.ts'
import { type Exported, exportedBy, startExport } from '../exported.ts'
import { kickOffRequest } from '../kick-off.ts'
import { assertRefused, outcomeOf } from '../outcome.ts'
import { condition, patient, put, putAlone, type Resource, referenceTo, remove } from '../resources.ts'
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

const json = { 'content-type': 'application/fhir+json' }

async function refusedPut(suite: ScenarioSuite, resource: Resource): Promise<void> {
  const path = `/${resource.resourceType}/${resource.id}`
  const answer = await suite.ask(await suite.sharedCaller(), 'PUT', path, {
    headers: json,
    body: JSON.stringify(resource),
  })
  assertRefused(answer, 422, 'invalid')
}

/** Puts a text into the place of a stored one, as an older version of the program could have written it. */
async function store(suite: ScenarioSuite, id: string, resource: Resource): Promise<void> {
  const sql = `update record set body = $2 where tenant = 'clinic' and type = 'Group' and id = $1 and superseded = 'infinity'`
  assert.equal((await suite.server.pool.query(sql, [id, JSON.stringify(resource)])).rowCount, 1)
}

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
          ['warning', 'not-found', '1 member'],
          ['warning', 'not-found', undefined],
        ],
      )
    },
  },
  {
    t: [],
    rules: ['§1'],
    does: 'members with periods: one that has ended, one that goes on, one that has not begun',
    outcome: 'who is a member now, in the precision of the dates',
    run: async (suite) => {
      const today = new Date().toISOString().slice(0, 10)
      const members = [
        member('Patient/gp1', { period: { start: '2020-01-01', end: '2021-01-01' } }),
        member('Patient/gp2', { period: { start: '2020-01-01' } }),
        member('Patient/gp3', { period: { start: '2999-01-01' } }),
        member('Patient/gp4', { period: { start: today, end: today } }),
      ]
      const ids = ['gp1', 'gp2', 'gp3', 'gp4']
      await put(suite, [...ids.map(patient), ...ids.map((id) => condition(`${id}-c`, id)), group('g-period', members)])
      const found = await groupExport(suite, 'g-period', '?_type=Patient,Condition')
      // A day may have passed since it was today.
      const now = found.manifest.transactionTime.slice(0, 10) === today ? ['gp2', 'gp4'] : ['gp2']
      assert.deepEqual(found.ids('Patient'), now)
      assert.deepEqual(
        found.ids('Condition'),
        now.map((id) => `${id}-c`),
      )
      assert.deepEqual(found.errors, [])
    },
  },
  {
    t: [],
    rules: ['§1'],
    does: 'a Group with a modifier extension: written alone, in Bundles, and one that was stored before',
    outcome: '422 each time, and nobody is exported',
    run: async (suite) => {
      const modifierExtension = [{ url: 'http://hl7.org/fhir/uv/bulkdata/StructureDefinition/member-filter' }]
      const plain = group('g-mod', [member('Patient/gm1')])
      const modified = [
        { ...plain, modifierExtension },
        group('g-mod', [member('Patient/gm1', { modifierExtension })]),
        group('g-mod', [member('Patient/gm1', { period: { start: '2020', modifierExtension } })]),
      ]
      await put(suite, [patient('gm1'), plain])
      for (const resource of modified) {
        await refusedPut(suite, resource)
        const entry = [{ resource, request: { method: 'PUT', url: 'Group/g-mod' } }]
        const bundle = JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry })
        const answer = await suite.ask(await suite.sharedCaller(), 'POST', '/', { headers: json, body: bundle })
        assertRefused(answer, 422, 'invalid')
        await store(suite, 'g-mod', resource)
        assertRefused(await kickOffGroup(suite, await suite.newCaller(), 'g-mod'), 422, 'invalid')
      }
      const contained = [{ resourceType: 'Organization', id: 'o', modifierExtension }]
      await put(suite, [{ ...plain, id: 'g-mod-contained', contained }])
      assert.deepEqual((await groupExport(suite, 'g-mod-contained')).ids('Patient'), ['gm1'])
    },
  },
  {
    t: [],
    rules: ['§1'],
    does: 'Groups of which it cannot be told who is in them, alone and in another',
    outcome: '422 with the place',
    run: async (suite) => {
      const lasting = (period: object) => [member('Patient/gu1'), member('Patient/gu2', { period })]
      const refused: readonly (readonly [Resource, string])[] = [
        [{ ...group('g-rule', []), characteristic: [{ code: { text: 'sex' } }] }, 'Group.characteristic'],
        [{ ...group('g-rule', [member('Patient/gu1')]), actual: false }, 'Group.actual'],
        [group('g-rule', lasting({ start: '2021', end: '2020' })), 'Group.member[1].period'],
        [group('g-rule', lasting({ end: 'never' })), 'Group.member[1].period'],
        [group('g-rule', lasting({})), 'Group.member[1].period'],
        [group('g-rule', [member('Patient/gu1', { inactive: 'true' })]), 'Group.member[0].inactive'],
      ]
      await put(suite, [patient('gu1'), patient('gu2'), group('g-around', [member('Group/g-rule')])])
      for (const [resource, place] of refused) {
        await put(suite, [resource])
        const caller = await suite.newCaller()
        assertRefused(await kickOffGroup(suite, caller, 'g-rule'), 422, 'invalid', place)
        assertRefused(await kickOffGroup(suite, caller, 'g-around'), 422, 'invalid', place)
      }
    },
  },
  {
    t: [],
    rules: ['§1'],
    does: 'members by identifier, and members who cannot be found',
    outcome: 'who has the identifier alone; the others as numbers, never by name',
    run: async (suite) => {
      const mrn = (value: string) => ({ identifier: [{ system: 'urn:group-mrn', value }] })
      const by = (value: string, more: object = {}) => ({
        entity: { identifier: { system: 'urn:group-mrn', value }, ...more },
      })
      const members = [
        by('1'),
        by('1', { type: 'Patient' }),
        by('twins'),
        by('nobody'),
        by('inner', { type: 'Group' }),
        member('Patient?identifier=urn:group-mrn%7C2'),
        member('Patient?name=secret-name'),
        member('https://elsewhere.example.org/Patient/secret-id'),
        member('Patient/secret-unknown'),
        member('Patient/gi-deleted'),
        member('Group/secret-group'),
        member('Practitioner/secret-practitioner'),
      ]
      await put(suite, [
        { ...patient('gi1'), ...mrn('1') },
        { ...patient('gi2'), ...mrn('2') },
        { ...patient('gi3'), ...mrn('twins') },
        { ...patient('gi4'), ...mrn('twins') },
        patient('gi5'),
        patient('gi-deleted'),
        { ...group('g-inner-by-id', [member('Patient/gi5')]), ...mrn('inner') },
      ])
      await putAlone(suite, group('g-identifiers', members))
      await remove(suite, 'Patient/gi-deleted', 'clinic')
      const caller = await suite.newCaller()
      const answer = await kickOffGroup(suite, caller, 'g-identifiers')
      assert.equal(answer.status, 202)
      const found = await exportedBy(suite, caller, String(answer.headers['content-location']))
      assert.deepEqual(found.ids('Patient'), ['gi1', 'gi2', 'gi5'])
      assert.deepEqual(found.errors, outcomeOf(answer))
      assert.doesNotMatch(JSON.stringify(found.errors), /secret|gi-deleted|twins/)
      assert.deepEqual(
        found.errors.map(({ severity, details, diagnostics }) => `${severity}: ${details.text} ${diagnostics}`),
        [
          'warning: Members of the Group are no patients that are known here. 2 members',
          'warning: Groups that are members of the Group are not known here. 1 member',
          'warning: Members of the Group have an identifier that leads to nobody, or to several. 2 members',
          'warning: Members of the Group are on other servers. 1 member',
          'warning: Members of the Group have no reference or identifier that can be looked up. 1 member',
        ],
      )
    },
  },
  {
    t: [],
    rules: ['§1'],
    does: 'Groups in Groups in Groups, as deep as may be and deeper',
    outcome: '202, and 400 too-long',
    run: async (suite) => {
      const chain = Array.from({ length: groupDepthMax + 2 }, (_, depth) =>
        group(`g-deep-${depth}`, [member(depth === 0 ? 'Patient/gd' : `Group/g-deep-${depth - 1}`)]),
      )
      await put(suite, [patient('gd'), ...chain])
      assert.deepEqual((await groupExport(suite, `g-deep-${groupDepthMax}`)).ids('Patient'), ['gd'])
      const caller = await suite.newCaller()
      assertRefused(await kickOffGroup(suite, caller, `g-deep-${groupDepthMax + 1}`), 400, 'invalid')
    },
  },
  {
    t: [],
    rules: ['§1', '§8.1'],
    does: 'a kick-off by GET with a list of patients, or anything else, in a body',
    outcome: '400, in both profiles and at all levels',
    run: async (suite) => {
      await put(suite, [patient('gb'), group('g-body', [member('Patient/gb')])])
      const list = [{ name: 'patient', valueReference: referenceTo('Patient/gb') }]
      const body = JSON.stringify({ resourceType: 'Parameters', parameter: list })
      const [clinic, commons] = [await suite.newCaller(), await suite.newCaller('commons')]
      const kickOffs: readonly (readonly [Caller, string])[] = [
        [clinic, '/Group/g-body/$export'],
        [commons, '/Group/g-body/$export'],
        [commons, '/Patient/$export'],
        [commons, '/$export'],
      ]
      for (const [caller, path] of kickOffs) {
        for (const sent of [{ body }, { body: 'x' }]) {
          const answer = await suite.ask(caller, 'GET', path, { headers: { ...headers, ...json }, ...sent })
          assert.equal(answer.status, 400, path)
          assert.equal(outcomeOf(answer)[0]?.details.text, 'A kick-off by GET takes no body.')
        }
        const chunked = { ...headers, 'transfer-encoding': 'chunked' }
        assert.equal((await suite.ask(caller, 'GET', path, { headers: chunked, body })).status, 400)
      }
      assert.equal((await kickOffGroup(suite, clinic, 'g-body')).status, 202)
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
