import assert from 'node:assert/strict'
import { exported } from '../exported.ts'
import { entry, patientEntry } from '../kick-off.ts'
import {
  condition,
  encounter,
  observation,
  patient,
  provenance,
  put,
  type Resource,
  referenceTo,
} from '../resources.ts'
import type { RequestRow, Scenario } from '../scenario.ts'
import type { ScenarioSuite } from '../suite.ts'

const at = 'Parameters.parameter[2].valueString'
const everyType =
  'AllergyIntolerance,Condition,DiagnosticReport,DocumentReference,Encounter,Goal,MedicationRequest,Patient,Procedure'

const filtered = (query: string, types = everyType) => [
  entry('_type', 'valueString', types),
  entry('_typeFilter', 'valueString', query),
]

/** A query whose content is refused with 422 (O-3). */
const refused = (
  t: number,
  rule: string,
  query: string,
  fine: 'value' | 'not-supported' | 'accepted',
  types = everyType,
): RequestRow => ({
  t: [t],
  rules: [rule],
  does: `_typeFilter "${query}"`,
  change: { parameters: filtered(query, types) },
  status: 422,
  code: 'invalid',
  expression: at,
  ...(fine === 'accepted' ? { hl7: { status: 202 } } : { fine }),
})

const accepted = (t: number, rule: string, query: string): RequestRow => ({
  t: [t],
  rules: [rule],
  does: `_typeFilter "${query}"`,
  change: { parameters: filtered(query) },
  status: 202,
})

const structural = (
  t: number,
  rule: string,
  query: string,
  fine: 'value' | 'accepted',
  types?: string,
): RequestRow => ({
  t: [t],
  rules: [rule],
  does: `_typeFilter "${query}"`,
  change: { parameters: filtered(query, types) },
  status: 400,
  code: 'invalid',
  expression: at,
  ...(fine === 'accepted' ? { hl7: { status: 202 } } : { fine }),
})

/** T-67…T-82: the names that the page forbids (S-36; search-params §2). Under hl7 only those about results are (D13). */
const forbidden = [
  '_count',
  '_contained',
  '_containedType',
  '_elements',
  '_id',
  '_include',
  '_lastUpdated',
  '_revinclude',
  '_sort',
  '_summary',
  '_total',
  'encounter',
  'identifier',
  'patient',
  'subject',
  'date',
]

/** `1` is no date, and a Condition has no parameter `date`. */
function forbiddenInHl7(name: string): 'value' | 'not-supported' | 'accepted' {
  if (name === '_lastUpdated') return 'value'
  return name === '_id' || (!name.startsWith('_') && name !== 'date') ? 'accepted' : 'not-supported'
}

const coded = (system: string, code: string) => [{ coding: [{ system, code }] }]
const categories = 'http://terminology.hl7.org/CodeSystem/condition-category'
const clinical = (code: string) => ({
  clinicalStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code }] },
})

/** The ids that an export of one patient with a filter gives. */
async function idsOf(
  suite: ScenarioSuite,
  owner: string,
  types: string,
  query: string,
  type: string,
): Promise<string[]> {
  const change = { patients: [patientEntry(`Patient/${owner}`)], parameters: [...filtered(query, types)] }
  const found = await exported(suite, await suite.newCaller(), change)
  return found.ids(type)
}

/** A patient with Conditions of several kinds, under ids of its own. */
function conditionsOf(owner: string): Resource[] {
  return [
    patient(owner),
    condition(`${owner}-active`, owner, { ...clinical('active'), category: coded(categories, 'problem-list-item') }),
    condition(`${owner}-again`, owner, { ...clinical('recurrence'), category: coded(categories, 'health-concern') }),
    condition(`${owner}-over`, owner, { ...clinical('resolved'), category: coded('urn:other', 'problem-list-item') }),
    condition(`${owner}-bare`, owner),
    encounter(`${owner}-planned`, owner, { status: 'planned' }),
    encounter(`${owner}-done`, owner, { status: 'finished' }),
  ]
}

/** T-57…T-101: `_typeFilter`. What each parameter matches is proven in `src/filter/`. */
export const typeFilterScenarios: readonly Scenario[] = [
  structural(58, 'S-34', 'Encounter?status=planned', 'value', 'Condition'),
  refused(59, 'S-35', 'Patient?gender=male', 'accepted'),
  ...['Location', 'Organization', 'Practitioner', 'Provenance'].map((type) =>
    refused(60, 'S-35', `${type}?x=y`, 'not-supported', `Patient,${type}`),
  ),
  structural(65, 'S-37', 'Condition?category=problem-list-item,Condition?category=health-concern', 'accepted'),
  ...forbidden.map((name, index) => refused(67 + index, 'S-36', `Condition?${name}=1`, forbiddenInHl7(name))),
  refused(83, 'S-36', 'Condition?subject:Patient=1', 'accepted'),
  refused(84, 'S-36', 'Condition?foo=bar', 'not-supported'),
  accepted(85, 'S-36', 'Procedure?status=completed'),
  accepted(86, 'S-36', 'Procedure?status=completed'),
  refused(87, 'search-params §4', 'Condition', 'value'),
  refused(87, 'search-params §4', 'Condition?', 'value'),
  refused(88, 'search-params §4', 'Condition?clinical-status=', 'value'),
  refused(89, 'search-params §4', 'Condition?clinical-status', 'value'),
  structural(90, 'S-34', 'Foo?x=y', 'value'),
  refused(91, 'search-params §4', '/Condition?clinical-status=active', 'value'),
  refused(91, 'search-params §4', 'https://example.org/Condition?clinical-status=active', 'value'),
  accepted(92, 'search-params §4', 'Condition?clinical%2Dstatus=active%2Crecurrence'),
  accepted(93, 'S-36', 'Goal?target-date=ge2020-01-01&target-date=le2020-12-31'),
  refused(97, 'S-36', 'Goal?target-date=notadate', 'value'),
  {
    t: [66],
    rules: ['S-37', 'O-10'],
    does: 'two _typeFilter entries for one type',
    change: {
      parameters: [...filtered('Condition?code=1'), entry('_typeFilter', 'valueString', 'Condition?code=2')],
    },
    status: 400,
    code: 'invalid',
    hl7: { status: 202 },
  },
  {
    t: [1],
    rules: ['S-31', 'S-49'],
    does: "the page's example word for word",
    outcome: 'the problem-list Conditions of the three and their Provenances',
    run: async (suite) => {
      const owners = ['12783127', '12783128', '12783129']
      const item = { category: coded(categories, 'problem-list-item') }
      await put(suite, [
        ...owners.flatMap((id) => [patient(id), condition(`list-${id}`, id, item), condition(`other-${id}`, id)]),
        provenance('list-provenance', ['Condition/list-12783127']),
        provenance('other-provenance', ['Condition/other-12783127']),
      ])
      const body = {
        resourceType: 'Parameters',
        parameter: [
          ...owners.map((id) => patientEntry(`Patient/${id}`)),
          entry('_type', 'valueString', 'Condition,Provenance'),
          entry('_typeFilter', 'valueString', 'Condition?category=problem-list-item'),
          entry('includeAssociatedData', 'valueCode', 'RelevantProvenanceResources'),
          entry('_since', 'valueInstant', '2021-03-18T19:19:42.000Z'),
          entry('_outputFormat', 'valueString', 'application/fhir+ndjson'),
        ],
      }
      const found = await exported(suite, await suite.newCaller(), { body })
      assert.deepEqual(
        found.ids('Condition').filter((id) => id.startsWith('list-')),
        owners.map((id) => `list-${id}`),
      )
      assert.ok(found.ids('Condition').every((id) => !id.startsWith('other-')))
      assert.ok(found.ids('Provenance').includes('list-provenance'))
      assert.ok(!found.ids('Provenance').includes('other-provenance'))
    },
  },
  {
    t: [61, 62, 63],
    rules: ['S-31', 'S-38', 'search-params §4'],
    does: 'queries on two types, with commas between values and between queries',
    outcome: 'exactly the matching records; types without a query come whole',
    run: async (suite) => {
      await put(suite, conditionsOf('tf'))
      const both = 'Condition?clinical-status=active,recurrence,Encounter?status=planned'
      assert.deepEqual(await idsOf(suite, 'tf', 'Condition,Encounter', both, 'Condition'), ['tf-active', 'tf-again'])
      assert.deepEqual(await idsOf(suite, 'tf', 'Condition,Encounter', both, 'Encounter'), ['tf-planned'])
      const one = 'Condition?clinical-status=active'
      assert.deepEqual(await idsOf(suite, 'tf', 'Condition,Encounter', one, 'Encounter'), ['tf-done', 'tf-planned'])
      assert.deepEqual(await idsOf(suite, 'tf', 'Patient,Condition', one, 'Patient'), ['tf'])
      const withSystem = `Condition?category=${categories}|problem-list-item`
      assert.deepEqual(await idsOf(suite, 'tf', 'Condition', withSystem, 'Condition'), ['tf-active'])
      const not = 'Condition?clinical-status:not=active'
      assert.deepEqual(await idsOf(suite, 'tf', 'Condition', not, 'Condition'), ['tf-again', 'tf-bare', 'tf-over'])
    },
  },
  {
    t: [64],
    rules: ['search-params §4'],
    does: 'a query whose value begins like a type',
    outcome: 'two queries, both applied',
    run: async (suite) => {
      await put(suite, conditionsOf('th'))
      const query = 'AllergyIntolerance?clinical-status=active,Condition?clinical-status=resolved'
      const types = 'AllergyIntolerance,Condition'
      assert.deepEqual(await idsOf(suite, 'th', types, query, 'Condition'), ['th-over'])
    },
  },
  {
    t: [101],
    rules: ['S-31'],
    does: 'a filter that leaves a type empty, with Provenance and referenced records',
    outcome: '200 without that type; neither its Provenances nor what only it refers to',
    run: async (suite) => {
      await put(suite, [
        patient('te'),
        { resourceType: 'Practitioner', id: 'te-seen' },
        { resourceType: 'Practitioner', id: 'te-unseen' },
        observation('te-kept', 'te', { status: 'final', performer: [referenceTo('Practitioner/te-seen')] }),
        observation('te-dropped', 'te', { status: 'amended', performer: [referenceTo('Practitioner/te-unseen')] }),
        provenance('te-of-kept', ['Observation/te-kept']),
        provenance('te-of-dropped', ['Observation/te-dropped']),
      ])
      const types = 'Observation,Provenance,Practitioner'
      const change = (query: string) => ({ patients: [patientEntry('Patient/te')], parameters: filtered(query, types) })
      const none = await exported(suite, await suite.newCaller(), change('Observation?status=cancelled'))
      assert.deepEqual(none.types, [])
      const some = await exported(suite, await suite.newCaller(), change('Observation?status=final'))
      assert.deepEqual(some.ids('Observation'), ['te-kept'])
      assert.deepEqual(some.ids('Provenance'), ['te-of-kept'])
      assert.deepEqual(some.ids('Practitioner'), ['te-seen'])
    },
  },
]
