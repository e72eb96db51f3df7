import assert from 'node:assert/strict'
import { exported } from '../exported.ts'
import { entry, patientEntry } from '../kick-off.ts'
import { condition, encounter, patient, provenance, put, referenceTo } from '../resources.ts'
import type { RequestRow, Scenario } from '../scenario.ts'
import type { ScenarioSuite } from '../suite.ts'

const withTypes = (types: string) => entry('_type', 'valueString', types)
const associated = (value: string) => entry('includeAssociatedData', 'valueCode', value)
const latest = associated('LatestProvenanceResources')

const wrongValue = (name: string, value: unknown): RequestRow => ({
  t: [105],
  rules: ['S-39'],
  does: `includeAssociatedData as ${name}`,
  change: { parameters: [withTypes('Condition,Provenance'), entry('includeAssociatedData', name, value)] },
  status: 400,
  code: 'invalid',
  fine: 'structure',
  expression: `Parameters.parameter[2].${name}`,
})

const targetsOf = ['Condition/prov-1', 'Condition/prov-2', 'Condition/prov-3'] as const

/**
 * Three Conditions of one patient, one Condition of another, and Provenances in every relation to them. The names of the Provenances say
 * what they aim at; `newest-…` is the latest of its target.
 */
async function putProvenances(suite: ScenarioSuite): Promise<void> {
  const [first, second, third] = targetsOf
  await put(suite, [
    patient('prov'),
    patient('prov-other'),
    condition('prov-1', 'prov'),
    condition('prov-2', 'prov'),
    condition('prov-3', 'prov'),
    encounter('prov-4', 'prov'),
    condition('prov-5', 'prov-other'),
    { resourceType: 'Organization', id: 'prov-org', name: 'organization' },
    provenance('first-old', [first], 1),
    provenance('first-middle', [first], 2),
    provenance('first-and-organization', [first, 'Organization/prov-org'], 3),
    provenance('second-and-third-old', [second, third], 4),
    provenance('newest-second-versioned', [`${second}/_history/1`], 6),
    provenance('newest-third-absolute', [`${suite.base('clinic')}/${third}`], 5),
    provenance('third-foreign', [`https://fhir.example.org/r4/clinic/${third}`], 9),
    provenance('organization-only', ['Organization/prov-org'], 9),
    provenance('encounter-only', ['Encounter/prov-4'], 1),
    provenance('newest-two-owners', [first, 'Condition/prov-5', 'Patient/prov'], 8),
    provenance('other-only', ['Condition/prov-5'], 9),
  ])
}

/** What an export of Conditions and these Provenances brings. */
async function provenances(
  suite: ScenarioSuite,
  patients: readonly string[],
  parameters: readonly unknown[],
  scope?: string,
) {
  const caller = await suite.newCaller('clinic', ...(scope === undefined ? [] : [scope]))
  return exported(suite, caller, { patients: patients.map((id) => patientEntry(`Patient/${id}`)), parameters })
}

const ofConditions = [
  'first-and-organization',
  'first-middle',
  'first-old',
  'newest-second-versioned',
  'newest-third-absolute',
  'newest-two-owners',
  'second-and-third-old',
]

/** T-102…T-111: `includeAssociatedData` and the Provenances that come along (protocol §3). */
export const associatedDataScenarios: readonly Scenario[] = [
  {
    t: [102],
    rules: ['S-12', 'D18'],
    does: 'includeAssociatedData and a _type without Provenance',
    change: { parameters: [withTypes('Condition'), latest] },
    status: 400,
    code: 'invalid',
    expression: 'Parameters.parameter[2]',
    hl7: { status: 202 },
  },
  {
    t: [103],
    rules: ['S-41'],
    does: 'includeAssociatedData "Foo"',
    change: { parameters: [withTypes('Condition,Provenance'), associated('Foo')] },
    status: 400,
    code: 'invalid',
    fine: 'value',
    expression: 'Parameters.parameter[2].valueCode',
  },
  {
    t: [103],
    rules: ['O-4', 'S-41'],
    does: 'includeAssociatedData "Foo" (lenient): a value is never ignored',
    change: {
      headers: { prefer: 'respond-async, handling=lenient' },
      parameters: [withTypes('Condition,Provenance'), associated('LatestProvenanceResources,Foo')],
    },
    status: 400,
    code: 'invalid',
    fine: 'value',
    expression: 'Parameters.parameter[2].valueCode',
  },
  wrongValue('valueString', 'LatestProvenanceResources'),
  wrongValue('valueCoding', { code: 'LatestProvenanceResources' }),
  {
    t: [106],
    rules: ['O-6'],
    does: 'includeAssociatedData, no _type, no scope of Provenance',
    change: { scope: 'system/Condition.read', parameters: [latest] },
    status: 403,
    code: 'forbidden',
    fine: 'forbidden',
  },
  {
    t: [104, 107, 108, 109, 110, 111],
    rules: ['S-8', 'S-9', 'S-10', 'S-11', 'S-40', 'S-41', 'D19', '§3'],
    does: 'Provenances of two owners, three targets, an organization',
    outcome: 'relevant or latest ones of exported records, each once',
    run: async (suite) => {
      await putProvenances(suite)
      const both = associated('LatestProvenanceResources,RelevantProvenanceResources')
      const conditions = withTypes('Condition,Provenance')
      const [relevant, everything, newest, two, none] = await Promise.all([
        provenances(suite, ['prov'], [conditions]),
        provenances(suite, ['prov'], [conditions, both]),
        provenances(suite, ['prov'], [conditions, latest]),
        provenances(suite, ['prov', 'prov-other'], [conditions]),
        provenances(suite, ['prov'], [withTypes('Condition')]),
      ])
      assert.deepEqual(relevant.ids('Provenance'), ofConditions, 'S-11: all that aim at an exported record')
      assert.deepEqual(everything.ids('Provenance'), ofConditions, 'T-104: both values mean all')
      assert.deepEqual(
        newest.ids('Provenance'),
        ['newest-second-versioned', 'newest-third-absolute', 'newest-two-owners'],
        'T-107: the newest of each record, also when it is the newest of another one too',
      )
      assert.deepEqual(two.ids('Provenance'), [...ofConditions, 'other-only'].sort(), 'T-110: several owners, one line')
      assert.deepEqual(none.types, ['Condition'], 'T-111: _type without Provenance')
    },
  },
  {
    t: [],
    rules: ['S-9', 'S-10', 'S-29'],
    does: 'no _type',
    outcome: 'Provenances by the scopes of the token',
    run: async (suite) => {
      await put(suite, [
        patient('prov-scope'),
        condition('prov-scope-1', 'prov-scope'),
        provenance('prov-scope-old', ['Condition/prov-scope-1'], 1),
        provenance('prov-scope-new', ['Condition/prov-scope-1'], 2),
        provenance('prov-scope-patient', ['Patient/prov-scope'], 2),
      ])
      const scope = 'system/Condition.read system/Provenance.read'
      const [all, newest, without] = await Promise.all([
        provenances(suite, ['prov-scope'], [], scope),
        provenances(suite, ['prov-scope'], [latest], scope),
        provenances(suite, ['prov-scope'], [], 'system/Condition.read'),
      ])
      assert.deepEqual(all.ids('Provenance'), ['prov-scope-new', 'prov-scope-old'])
      assert.deepEqual(newest.ids('Provenance'), ['prov-scope-new'])
      assert.deepEqual(without.types, ['Condition'])
    },
  },
  {
    t: [],
    rules: ['§3', 'D32'],
    does: '_since and Provenances',
    outcome: 'they follow the exported records, whatever their own time',
    run: async (suite) => {
      await put(suite, [
        patient('prov-since'),
        condition('prov-since-old', 'prov-since'),
        provenance('prov-since-of-new', ['Condition/prov-since-new'], 1),
      ])
      const written = await put(suite, [provenance('prov-since-of-old', ['Condition/prov-since-old'], 1)])
      await put(suite, [condition('prov-since-new', 'prov-since', { recordedDate: '2024-01-01' })])
      const since = written.get('Provenance/prov-since-of-old')
      const found = await provenances(
        suite,
        ['prov-since'],
        [withTypes('Condition,Provenance'), entry('_since', 'valueInstant', since)],
      )
      assert.deepEqual(found.ids('Condition'), ['prov-since-new'])
      assert.deepEqual(found.ids('Provenance'), ['prov-since-of-new'])
    },
  },
  {
    t: [],
    rules: ['§3'],
    does: 'equal recorded times',
    outcome: 'the later lastUpdated, then the greater id is the latest',
    run: async (suite) => {
      await put(suite, [
        patient('prov-tie'),
        condition('prov-tie-1', 'prov-tie'),
        condition('prov-tie-2', 'prov-tie'),
        provenance('tie-a', ['Condition/prov-tie-1']),
        provenance('tie-b', ['Condition/prov-tie-1']),
        provenance('tie-z-early', ['Condition/prov-tie-2']),
      ])
      await put(suite, [provenance('tie-a-late', ['Condition/prov-tie-2'], 1, { reason: [{ text: 'later' }] })])
      const found = await provenances(suite, ['prov-tie'], [withTypes('Condition,Provenance'), latest])
      assert.deepEqual(found.ids('Provenance'), ['tie-a-late', 'tie-b'])
    },
  },
  {
    t: [],
    rules: ['§3', '§4'],
    does: 'a Provenance whose targets are all of other patients, by referenced author',
    outcome: 'neither it nor its author comes along',
    run: async (suite) => {
      await put(suite, [
        patient('prov-a'),
        patient('prov-b'),
        condition('prov-b-1', 'prov-b'),
        { resourceType: 'Practitioner', id: 'prov-author', active: true },
        provenance('prov-b-only', ['Condition/prov-b-1'], 1, {
          agent: [{ who: referenceTo('Practitioner/prov-author') }],
        }),
      ])
      const found = await provenances(suite, ['prov-a'], [withTypes('Patient,Condition,Provenance,Practitioner')])
      assert.deepEqual(found.types, ['Patient'])
    },
  },
]
