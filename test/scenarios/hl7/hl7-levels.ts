import assert from 'node:assert/strict'
import { packChanged } from '../../../src/records/packs/packer.ts'
import type { Answer } from '../exchange.ts'
import { type Exported, exported, exportedBy } from '../exported.ts'
import { entry, kickOffRequest, patientEntry } from '../kick-off.ts'
import { assertRefused, outcomeOf } from '../outcome.ts'
import {
  condition,
  encounter,
  observation,
  patient,
  provenance,
  put,
  putAlone,
  type Resource,
  referenceTo,
} from '../resources.ts'
import type { Change, Scenario } from '../scenario.ts'
import type { Caller, ScenarioSuite, SuiteTenant } from '../suite.ts'

/** Everything in the tenant `village`. */
const village: readonly Resource[] = [
  patient('v1'),
  patient('v2'),
  { resourceType: 'Practitioner', id: 'v-seen' },
  { resourceType: 'Practitioner', id: 'v-unseen' },
  condition('vc1', 'v1', { recorder: referenceTo('Practitioner/v-seen') }),
  condition('vc2', 'v2'),
  condition('vc3', 'v3'),
  { resourceType: 'Condition', id: 'vc-herd', subject: referenceTo('Group/v-group') },
  {
    resourceType: 'Group',
    id: 'v-group',
    type: 'person',
    actual: true,
    member: [{ entity: referenceTo('Patient/v1') }],
  },
  { resourceType: 'Medication', id: 'v-medication' },
  provenance('vp1', ['Condition/vc1']),
  provenance('vp-both', ['Condition/vc1', 'Condition/vc2']),
  provenance('vp-herd', ['Condition/vc-herd']),
  provenance('vp-practitioner', ['Practitioner/v-unseen']),
]

const auditedSql = `
  select entry::jsonb->'detail'->>'reach' as reach, entry::jsonb->'patients' as patients
  from audit_entry where tenant = 'village' and entry::jsonb->>'kind' = 'kick-off'`

const idsOf = (found: Exported): Record<string, string[]> =>
  Object.fromEntries(found.types.map((type) => [type, found.ids(type)]))

const get = (suite: ScenarioSuite, caller: Caller, path: string): Promise<Answer> => suite.ask(caller, 'GET', path)

/** What the `error` file says, without the texts. */
const told = ({ errors }: Exported): (string | undefined)[][] =>
  errors.map(({ severity, diagnostics }) => [severity, diagnostics])

/** Starts an export by GET, without any header but the token, and fetches it. */
async function exportedByGet(suite: ScenarioSuite, path: string, tenant: SuiteTenant = 'commons'): Promise<Exported> {
  const caller = await suite.newCaller(tenant)
  const answer = await get(suite, caller, path)
  assert.equal(answer.status, 202, answer.body.toString('utf8'))
  return exportedBy(suite, caller, String(answer.headers['content-location']))
}

const group = (id: string, members: readonly string[]): Resource => ({
  resourceType: 'Group',
  id,
  type: 'person',
  actual: true,
  member: members.map((member) => ({ entity: referenceTo(`Patient/${member}`) })),
})

/** D1…D5, D7: who is exported, by GET and POST. */
export const levelScenarios: readonly Scenario[] = [
  {
    t: [],
    rules: ['§4', 'D8'],
    does: 'no _type with scopes of some types',
    outcome:
      'these types; of the others that there are the error file tells the numbers, without ids; with _type of none',
    run: async (suite) => {
      const scope = 'system/Patient.read system/Claim.read'
      const caller = await suite.newCaller('commons', scope)
      const claim: Resource = { resourceType: 'Claim', id: 'ns-1', patient: referenceTo('Patient/ns') }
      await put(suite, [patient('ns'), claim, condition('ns-secret', 'ns')], 'commons')
      const change = (parameters: readonly unknown[]) => ({ patients: [patientEntry('Patient/ns')], parameters })
      const found = await exported(suite, caller, change([]))
      assert.deepEqual(idsOf(found), { Claim: ['ns-1'], Patient: ['ns'] })
      const [line, ...more] = found.errors
      assert.deepEqual([line!.severity, line!.code, more], ['warning', 'suppressed', []])
      assert.match(line!.diagnostics ?? '', /(^|, )Condition: [1-9]\d*(,|$)/)
      assert.doesNotMatch(line!.diagnostics ?? '', /Claim|Patient|secret/)
      const named = await exported(suite, caller, change([entry('_type', 'valueString', 'Claim,Patient')]))
      assert.deepEqual([idsOf(named), named.errors], [{ Claim: ['ns-1'], Patient: ['ns'] }, []])
    },
  },
  {
    t: [],
    rules: ['§4'],
    does: 'records with references that lead to no record here',
    outcome: 'a line for each kind with the types, the same from versions, packs, filters and blocks',
    run: async (suite) => {
      const performer = [
        'Practitioner?identifier=urn:npi|1',
        'Organization?identifier=urn:npi|2',
        'https://elsewhere.example.org/Practitioner/secret',
        'https://elsewhere.example.org/secret',
        'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0',
        'Vehicle/secret',
        'no reference',
      ].map(referenceTo)
      const records: Resource[] = [
        patient('ol1'),
        observation('ol1', 'ol1', { performer }),
        observation('ol2', 'ol1', { status: 'amended', focus: [referenceTo('Wheel/secret')] }),
      ]
      for (const record of records) await putAlone(suite, record, 'commons')
      const caller = await suite.newCaller('commons')
      const lines = async (...parameters: object[]) => {
        const found = await exported(suite, caller, { patients: [patientEntry('Patient/ol1')], parameters })
        assert.doesNotMatch(JSON.stringify(found.errors), /secret|npi/)
        return told(found)
      }
      const open = (elsewhere: string) => [
        ['warning', elsewhere],
        ['warning', undefined],
        ['warning', undefined],
      ]
      const all = [
        ['warning', 'Organization, Practitioner'],
        ...open('Practitioner, of an unknown type'),
        ['information', 'Vehicle, Wheel'],
      ]
      const only = (text: string) => [
        entry('_type', 'valueString', 'Observation'),
        entry('_typeFilter', 'valueString', `Observation?status=${text}`),
      ]
      for (const state of ['versions', 'packs']) {
        assert.deepEqual(await lines(), all, state)
        assert.deepEqual(await lines(...only('amended')), [['information', 'Wheel']], state)
        const final = await lines(...only('final'))
        assert.deepEqual(final, [['warning', undefined], ...open('').slice(1), ['information', 'Vehicle']], state)
        await packChanged(suite.server.pool, { tenant: 'commons', settledMs: 0 }, () => true)
      }
      assert.deepEqual(await lines(entry('organizeOutputBy', 'valueString', 'Patient')), all)
    },
  },
  {
    t: [],
    rules: ['§11.3'],
    does: '_format in the URL of a kick-off',
    outcome: 'JSON is taken, by GET and POST; another is refused, or ignored with a warning',
    run: async (suite) => {
      await put(suite, [group('fmt', [])], 'commons')
      for (const format of ['json', 'application/json', 'application/fhir%2Bjson', 'application/fhir+json']) {
        const found = await exportedByGet(suite, `/Group/fmt/$export?_format=${format}&_type=Patient`)
        assert.equal(found.errors.length, 1, 'that there is nobody')
        const body = { resourceType: 'Parameters', parameter: [entry('_type', 'valueString', 'Patient')] }
        const answer = await suite.ask(
          await suite.newCaller('commons'),
          'POST',
          `/Group/fmt/$export?_format=${format}`,
          {
            headers: { 'content-type': 'application/fhir+json' },
            body: JSON.stringify(body),
          },
        )
        assert.equal(answer.status, 202, answer.body.toString('utf8'))
      }
      const caller = await suite.newCaller('commons')
      assertRefused(await get(suite, caller, '/Group/fmt/$export?_format=xml'), 400, 'not-supported')
      const lenient = await suite.ask(caller, 'GET', '/Group/fmt/$export?_format=xml', {
        headers: { prefer: 'handling=lenient' },
      })
      assert.equal(lenient.status, 202)
      assert.equal(outcomeOf(lenient)[0]?.details.text, 'The _format "xml" is not supported.')
      const oracle = await suite.newCaller()
      const headers = { accept: 'application/fhir+json', prefer: 'respond-async' }
      const answer = await suite.ask(oracle, 'GET', '/Group/fmt/$export?_format=json', { headers })
      assertRefused(answer, 400, 'invalid')
    },
  },
  {
    t: [152],
    rules: ['D1', 'D2', 'D3', 'D5', 'K1', 'K2', 'S-8'],
    does: 'an export of all patients and one of the whole system',
    outcome: 'all records of patients, with the Group in which they are; everything, each once',
    run: async (suite) => {
      await put(suite, village, 'village')
      const patients = {
        Condition: ['vc1', 'vc2', 'vc3'],
        Group: ['v-group'],
        Patient: ['v1', 'v2'],
        Practitioner: ['v-seen'],
        Provenance: ['vp-both', 'vp1'],
      }
      const byGet = await exportedByGet(suite, '/Patient/$export', 'village')
      assert.deepEqual(idsOf(byGet), patients)
      assert.equal(byGet.manifest.request, `${suite.base('village')}/Patient/$export`)
      const { rows } = await suite.server.pool.query(auditedSql)
      assert.deepEqual(rows, [{ reach: 'patients', patients: [] }], 'the audit trail says whose records were asked for')
      assert.deepEqual(told(byGet), [['warning', 'Condition: 1']], 'the Condition of a Group')
      const ofHerds = '_typeFilter=Condition%3Fsubject%3DGroup/v-group'
      for (const [query, orphans] of [
        [`_type=Condition&${ofHerds}`, [['warning', 'Condition: 1']]],
        [`_type=Condition&${ofHerds}x`, []],
        ['_type=Encounter', []],
        ['_until=2020-01-01T00:00:00Z', []],
      ] as const) {
        assert.deepEqual(told(await exportedByGet(suite, `/Patient/$export?${query}`, 'village')), orphans, query)
      }
      assert.deepEqual(told(await exportedByGet(suite, '/Group/v-group/$export', 'village')), [
        ['warning', 'Condition: 1'],
      ])
      assert.deepEqual(told(await exportedByGet(suite, '/$export', 'village')), [], 'it has it')
      const body = { resourceType: 'Parameters' }
      assert.deepEqual(idsOf(await exported(suite, await suite.newCaller('village'), { body })), patients)

      const system = {
        Condition: ['vc-herd', 'vc1', 'vc2', 'vc3'],
        Group: ['v-group'],
        Medication: ['v-medication'],
        Patient: ['v1', 'v2'],
        Practitioner: ['v-seen', 'v-unseen'],
        Provenance: ['vp-both', 'vp-herd', 'vp-practitioner', 'vp1'],
      }
      assert.deepEqual(idsOf(await exportedByGet(suite, '/$export', 'village')), system)
      const change: Change = { path: '/$export', body }
      assert.deepEqual(idsOf(await exported(suite, await suite.newCaller('village'), change)), system)
      const practitioners = await exportedByGet(suite, '/%24export?_type=Practitioner', 'village')
      assert.deepEqual(idsOf(practitioners), { Practitioner: ['v-seen', 'v-unseen'] })
      const filtered = '/$export?_type=Practitioner,Condition&_typeFilter=Practitioner%3F_id%3Dv-unseen'
      assert.deepEqual(idsOf(await exportedByGet(suite, filtered, 'village')), {
        Condition: system.Condition,
        Practitioner: ['v-unseen'],
      })
      const latest = '/$export?_type=Condition&includeAssociatedData=LatestProvenanceResources'
      assert.deepEqual((await exportedByGet(suite, latest, 'village')).ids('Provenance'), ['vp-both', 'vp-herd', 'vp1'])
      const provenances = await exportedByGet(suite, '/Patient/$export?_type=Provenance', 'village')
      assert.deepEqual(idsOf(provenances), { Provenance: ['vp-both', 'vp1'] })

      const since = encodeURIComponent(byGet.manifest.transactionTime)
      const later = await put(suite, [{ ...condition('vc2', 'v2'), note: [{ text: 'changed' }] }], 'village')
      const changed = await exportedByGet(suite, `/$export?_since=${since}`, 'village')
      assert.deepEqual(idsOf(changed), { Condition: ['vc2'], Provenance: ['vp-both'] })
      const until = encodeURIComponent(later.get('Condition/vc2')!)
      assert.deepEqual(idsOf(await exportedByGet(suite, `/$export?_since=${since}&_until=${until}`, 'village')), {})
      const before = await exportedByGet(suite, `/$export?_until=${until}&_type=Condition`, 'village')
      assert.deepEqual(before.ids('Condition'), ['vc-herd', 'vc1', 'vc3'])
    },
  },
  {
    t: [],
    rules: ['K3', 'D7', 'D10', 'D11', 'S-44', 'S-47'],
    does: 'a GET kick-off with repeated parameters, two queries of a type and an unencoded plus sign',
    outcome: '202, the union',
    run: async (suite) => {
      const records = [
        patient('gk'),
        condition('gk-a', 'gk', { code: { coding: [{ code: 'a' }] } }),
        condition('gk-b', 'gk', { code: { coding: [{ code: 'b' }] } }),
        condition('gk-c', 'gk', { code: { coding: [{ code: 'c' }] } }),
        encounter('gk-1', 'gk'),
        group('gk-group', ['gk']),
      ]
      await put(suite, records, 'commons')
      const query =
        '_type=Condition&_type=Encounter&_typeFilter=Condition%3Fcode%3Da&_typeFilter=Condition%3Fcode%3Db' +
        '&_since=2021-03-18T19:19:42+02:00&_outputFormat=application/fhir+ndjson'
      const found = await exportedByGet(suite, `/Group/gk-group/$export?${query}`)
      assert.deepEqual(idsOf(found), { Condition: ['gk-a', 'gk-b'], Encounter: ['gk-1'] })
      assert.equal(found.manifest.request, `${suite.base('commons')}/Group/gk-group/$export?${query}`)
    },
  },
  {
    t: [],
    rules: ['D4', 'K1', 'O-4', '§11.3'],
    does: 'a Group export by POST: whole, of some members, of somebody else',
    outcome: 'the members; those of the list; 400 not-found, or a warning when lenient',
    run: async (suite) => {
      const members = ['gp1', 'gp2', 'gp3'].map(patient)
      await put(suite, [...members, observation('gp-o2', 'gp2'), group('gp-group', ['gp1', 'gp2'])], 'commons')
      const path = '/Group/gp-group/$export'
      const caller = () => suite.newCaller('commons')
      const whole = await exported(suite, await caller(), { path, body: { resourceType: 'Parameters' } })
      assert.deepEqual(idsOf(whole), { Group: ['gp-group'], Observation: ['gp-o2'], Patient: ['gp1', 'gp2'] })
      assert.equal(whole.manifest.request, `${suite.base('commons')}${path}`)
      const some = await exported(suite, await caller(), { path, patients: [patientEntry('Patient/gp1')] })
      assert.deepEqual(idsOf(some), { Group: ['gp-group'], Patient: ['gp1'] })

      const patients = ['gp1', 'gp3'].map((id) => patientEntry(`Patient/${id}`))
      const strict = await suite.send(await kickOffRequest(suite, await caller(), { path, patients }))
      assertRefused(strict, 400, 'not-found')
      assert.equal(outcomeOf(strict)[0]?.diagnostics, 'Patient/gp3')
      const prefer = 'respond-async, handling=lenient'
      const lenient = await exported(suite, await caller(), { path, patients, headers: { prefer } })
      assert.deepEqual(idsOf(lenient), { Group: ['gp-group'], Patient: ['gp1'] })
      assert.deepEqual(
        lenient.errors.map(({ code, diagnostics }) => [code, diagnostics]),
        [['not-found', 'Patient/gp3']],
      )
      const strangers = { path, patients: [patientEntry('Patient/gp3')], headers: { prefer } }
      assert.deepEqual(idsOf(await exported(suite, await caller(), strangers)), {}, 'nobody is never everybody')
    },
  },
  {
    t: [],
    rules: ['O-4', '§11.3'],
    does: 'a list of patients in a URL or for a system export, lenient or not',
    outcome: '400: ignoring it would export everyone',
    run: async (suite) => {
      const caller = await suite.sharedCaller('commons')
      for (const prefer of ['respond-async', 'respond-async, handling=lenient']) {
        for (const path of ['/Patient/$export', '/$export']) {
          const answer = await suite.ask(caller, 'GET', `${path}?patient=Patient/minimal`, { headers: { prefer } })
          assertRefused(answer, 400, 'not-supported', 'Parameters.parameter[0]')
        }
        const posted = await suite.send(await kickOffRequest(suite, caller, { path: '/$export', headers: { prefer } }))
        assertRefused(posted, 400, 'not-supported', 'Parameters.parameter[0]')
      }
    },
  },
  {
    t: [],
    rules: ['D36'],
    does: 'an export of one patient by the URL',
    outcome: 'the records of this patient, those too that are of others as well; 404 for one who is not known',
    run: async (suite) => {
      const participant = ['one-1', 'one-2'].map((id) => ({ actor: referenceTo(`Patient/${id}`) }))
      await put(
        suite,
        [
          ...[patient('one-1'), patient('one-2'), condition('one-c2', 'one-2')],
          condition('one-c1', 'one-1', { recorder: referenceTo('Practitioner/one-doctor') }),
          { resourceType: 'Practitioner', id: 'one-doctor' },
          { resourceType: 'Appointment', id: 'one-visit', participant },
        ],
        'commons',
      )
      const path = '/Patient/one-1/$export'
      const found = await exportedByGet(suite, path)
      const clinical = { Appointment: ['one-visit'], Condition: ['one-c1'] }
      assert.deepEqual(idsOf(found), { ...clinical, Patient: ['one-1'], Practitioner: ['one-doctor'] })
      assert.equal(found.manifest.request, `${suite.base('commons')}${path}`)
      assert.deepEqual(found.errors, [])
      const caller = await suite.newCaller('commons')
      const types = [entry('_type', 'valueString', 'Condition,Appointment')]
      assert.deepEqual(idsOf(await exported(suite, caller, { path, patients: [], parameters: types })), clinical)
      const listed = await kickOffRequest(suite, caller, { path, parameters: [patientEntry('Patient/one-2')] })
      assertRefused(await suite.send(listed), 400, 'not-supported')
      for (const id of ['nobody', 'no_id', 'one-visit']) {
        for (const prefer of ['respond-async', 'handling=lenient'])
          assertRefused(
            await suite.ask(caller, 'GET', `/Patient/${id}/$export`, { headers: { prefer } }),
            404,
            'not-found',
          )
      }
      const poorer = await suite.newCaller('commons', 'system/Patient.write')
      assertRefused(await get(suite, poorer, path), 403, 'forbidden')
    },
  },
  {
    t: [152, 153],
    rules: ['D1', 'D4', 'D5', 'D36'],
    does: 'methods and levels that are not served',
    outcome: '405 with Allow; in millennium a system export is 404; HEAD starts nothing',
    run: async (suite) => {
      for (const [tenant, method, path, status, allow] of [
        ['commons', 'PUT', '/$export', 405, 'GET, POST'],
        ['commons', 'DELETE', '/Group/x/$export', 405, 'GET, POST'],
        ['clinic', 'POST', '/Group/x/$export', 405, 'GET'],
        ['commons', 'DELETE', '/Patient/x/$export', 405, 'GET, POST'],
        ['clinic', 'GET', '/Patient/x/$export', 404, undefined],
        ['clinic', 'POST', '/Patient/x/$export', 404, undefined],
        ['clinic', 'GET', '/$export', 404, undefined],
        ['clinic', 'POST', '/$export', 404, undefined],
        ['nowhere', 'GET', '/Patient/$export', 405, 'POST'],
      ] as const) {
        const answer = await suite.send({ method, url: `${suite.base(tenant)}${path}`, headers: {} })
        assert.deepEqual([answer.status, answer.headers.allow], [status, allow], `${method} ${path} of ${tenant}`)
        assert.equal(outcomeOf(answer)[0]?.code, status === 405 ? 'not-supported' : 'not-found')
      }
      const caller = await suite.newCaller('commons')
      const { rows: before } = await suite.server.pool.query('select from job where client = $1', [caller.client.id])
      for (const path of ['/$export', '/Patient/$export', '/Patient/x/$export', '/Group/x/$export']) {
        const response = await fetch(`${suite.base('commons')}${path}`, {
          method: 'HEAD',
          headers: { authorization: `Bearer ${caller.token}` },
        })
        assert.equal(response.status, 405)
      }
      const { rows } = await suite.server.pool.query('select from job where client = $1', [caller.client.id])
      assert.deepEqual([before.length, rows.length], [0, 0])
    },
  },
  {
    t: [],
    rules: ['D9', 'D18', '§11.3'],
    does: 'types that come along with others, alone: for patients and for a system',
    outcome: '400 for patients, 202 for a system',
    run: async (suite) => {
      const caller = await suite.newCaller('commons')
      const parameters = '?_type=Location,Practitioner'
      assertRefused(await get(suite, caller, `/Patient/$export${parameters}`), 400, 'business-rule')
      const answer = await get(suite, caller, `/$export${parameters}`)
      assert.equal(answer.status, 202)
      const poorer = await suite.newCaller('commons', 'system/Condition.read')
      const associated = { parameters: [entry('_type', 'valueString', 'Condition')] }
      const change = {
        parameters: [
          ...associated.parameters,
          entry('includeAssociatedData', 'valueCode', 'LatestProvenanceResources'),
        ],
      }
      assertRefused(await suite.send(await kickOffRequest(suite, poorer, change)), 403, 'forbidden')
    },
  },
]
