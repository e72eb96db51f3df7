import assert from 'node:assert/strict'
import { exported } from '../exported.ts'
import { entry, patientEntry } from '../kick-off.ts'
import { condition, encounter, observation, patient, put, referenceTo } from '../resources.ts'
import type { RequestRow, Scenario } from '../scenario.ts'

const types = (value: string) => [entry('_type', 'valueString', value)]
const at = 'Parameters.parameter[1].valueString'

const accepted = (t: number, does: string, value: string): RequestRow => ({
  t: [t],
  rules: ['S-25', 'S-27', 'S-28', 'S-30', 'D8'],
  does,
  change: { parameters: types(value) },
  status: 202,
})

const refused = (
  t: number,
  value: string,
  rule: string,
  fine: 'value' | 'not-supported' | 'business-rule',
): RequestRow => ({
  t: [t],
  rules: [rule],
  does: `_type "${value}"`,
  change: { parameters: types(value) },
  status: 400,
  code: 'invalid',
  fine,
  expression: at,
})

/** S-28: a list without one of the 14 types. Under hl7 a Provenance may stand alone, for it is in the compartment of Patient (D9). */
const unanchored = (t: number, value: string): RequestRow => ({
  t: [t],
  rules: ['S-28', 'D9'],
  does: `_type "${value}" alone`,
  change: { parameters: types(value) },
  status: 400,
  code: 'invalid',
  fine: 'business-rule',
  expression: at,
  ...(value.includes('Provenance') ? { hl7: { status: 202 } } : {}),
})

const scoped = (
  t: number,
  does: string,
  scope: string,
  parameters: readonly unknown[],
  status: 202 | 403,
): RequestRow => ({
  t: [t],
  rules: ['S-6', 'S-29', '§10'],
  does,
  change: { scope, parameters },
  status,
  ...(status === 403
    ? { code: 'forbidden', fine: 'forbidden', answers: { 'www-authenticate': /error="insufficient_scope"/ } }
    : {}),
})

const noExportable = 'system/Claim.read system/Condition.write'

/** T-32…T-56: `_type` and the scopes. */
export const typeScenarios: readonly Scenario[] = [
  accepted(32, '_type with a blank after the comma', 'Condition, Provenance'),
  accepted(
    32,
    'all 18 types',
    'AllergyIntolerance,CarePlan,CareTeam,Condition,Device,DiagnosticReport,DocumentReference,Encounter,Goal,Immunization,Location,MedicationRequest,Patient,Procedure,Observation,Organization,Practitioner,Provenance',
  ),
  refused(33, 'Condition,,Patient', 'S-25', 'value'),
  refused(33, 'Condition,', 'S-25', 'value'),
  {
    t: [34],
    rules: ['S-25'],
    does: '_type "Condition,Condition"',
    outcome: '202, once',
    run: async (suite) => {
      await put(suite, [patient('t34'), condition('t34-1', 't34')])
      const change = { patients: [patientEntry('Patient/t34')], parameters: types('Condition,Condition') }
      const found = await exported(suite, await suite.newCaller(), change)
      assert.deepEqual([found.types, found.ids('Condition')], [['Condition'], ['t34-1']])
    },
  },
  refused(35, '', 'S-25', 'value'),
  refused(36, 'condition', 'S-27', 'value'),
  { ...refused(37, 'Medication', 'S-27', 'not-supported'), profile: 'millennium' },
  { ...refused(37, 'Medication', 'D9', 'business-rule'), profile: 'hl7' },
  { ...refused(37, 'Parameters', 'D8', 'not-supported'), profile: 'hl7' },
  refused(38, 'Foo', 'S-27', 'value'),
  ...(
    [
      ['millennium', 'Medication'],
      ['hl7', 'Parameters'],
    ] as const
  ).flatMap(([profile, type]): RequestRow[] => [
    {
      t: [39],
      rules: ['O-4', 'S-13'],
      profile,
      does: `_type "Condition,${type}" (lenient)`,
      change: { headers: { prefer: 'respond-async, handling=lenient' }, parameters: types(`Condition,${type}`) },
      status: 202,
      warnings: ['not-supported'],
    },
    {
      t: [39],
      rules: ['O-4'],
      profile,
      does: `_type "${type}" (lenient): ignoring it would export everything`,
      change: { headers: { prefer: 'respond-async, handling=lenient' }, parameters: types(type) },
      status: 400,
      code: 'invalid',
      fine: 'not-supported',
      expression: at,
    },
  ]),
  ...['valueCode', 'valueUri'].map(
    (name): RequestRow => ({
      t: [40],
      rules: ['S-26'],
      does: `_type as ${name}`,
      change: { parameters: [entry('_type', name, 'Condition')] },
      status: 400,
      code: 'invalid',
      fine: 'structure',
      expression: `Parameters.parameter[1].${name}`,
    }),
  ),
  {
    t: [40],
    rules: ['S-26'],
    does: '_type as a valueString that is a number',
    change: { parameters: [entry('_type', 'valueString', 7)] },
    status: 400,
    code: 'invalid',
    fine: 'structure',
    expression: at,
  },
  unanchored(41, 'Location'),
  unanchored(42, 'Provenance'),
  unanchored(43, 'Location,Organization,Practitioner,Provenance'),
  accepted(44, '_type "Location,Patient"', 'Location,Patient'),
  {
    t: [45],
    rules: ['K3', 'O-10'],
    does: 'two _type entries, profile hl7',
    outcome: '202, both types',
    run: async (suite) => {
      await put(suite, [patient('t45'), condition('t45-1', 't45'), observation('t45-2', 't45')], 'commons')
      const change = {
        patients: [patientEntry('Patient/t45')],
        parameters: [...types('Condition'), ...types('Patient,Condition')],
      }
      const found = await exported(suite, await suite.newCaller('commons'), change)
      assert.deepEqual(found.types, ['Condition', 'Patient'])
      assert.deepEqual(found.ids('Condition'), ['t45-1'])
    },
  },
  {
    t: [46],
    rules: ['O-10', 'D7'],
    does: 'two _type entries',
    change: { parameters: [...types('Condition'), ...types('Patient')] },
    status: 400,
    code: 'invalid',
    expression: 'Parameters.parameter[2]',
    hl7: { status: 202 },
  },
  scoped(47, '_type Observation without its scope', 'system/Condition.read', types('Condition,Observation'), 403),
  scoped(48, '_type Observation with system/Observation.write', 'system/Observation.write', types('Observation'), 403),
  scoped(49, '_type Observation with system/Observation.r', 'system/Observation.r', types('Observation'), 403),
  scoped(49, '_type Observation with system/Observation.s', 'system/Observation.s', types('Observation'), 403),
  scoped(50, '_type Observation with system/Observation.rs', 'system/Observation.rs', types('Observation'), 202),
  scoped(
    50,
    '_type Observation with its two letters in two scopes',
    'system/Observation.r system/Observation.s',
    types('Observation'),
    202,
  ),
  scoped(51, 'system/*.read, which counts unless the tenant is strict', 'system/*.read', types('Observation'), 202),
  {
    t: [52],
    rules: ['S-51'],
    does: 'user/Observation.read',
    change: {
      parameters: types('Observation'),
      authorization: async (suite, caller) =>
        `Bearer ${await suite.signedToken(caller, { scopes: ['user/Observation.read', 'patient/*.read'] })}`,
    },
    status: 403,
    code: 'forbidden',
    fine: 'forbidden',
  },
  {
    t: [53],
    rules: ['S-29', '§4'],
    does: 'no _type with scopes of Condition, Observation and Location',
    outcome: '202, the three types and no other',
    run: async (suite) => {
      await put(suite, [
        { resourceType: 'Location', id: 't53-here', name: 'here' },
        { resourceType: 'Location', id: 't53-elsewhere', name: 'elsewhere' },
        { resourceType: 'Organization', id: 't53-org', name: 'organization' },
        patient('t53'),
        condition('t53-1', 't53', { recorder: referenceTo('Practitioner/t53-nobody') }),
        observation('t53-2', 't53', {
          subject: referenceTo('Patient/t53'),
          performer: [referenceTo('Organization/t53-org')],
        }),
        observation('t53-3', 't53', { focus: [referenceTo('Location/t53-here')] }),
        encounter('t53-4', 't53', { location: [{ location: referenceTo('Location/t53-elsewhere') }] }),
      ])
      const scope = 'system/Condition.read system/Observation.read system/Location.read'
      const found = await exported(suite, await suite.newCaller('clinic', scope), {
        patients: [patientEntry('Patient/t53')],
      })
      assert.deepEqual(found.types, ['Condition', 'Location', 'Observation'])
      assert.deepEqual(found.ids('Location'), ['t53-here'])
      assert.deepEqual(found.errors, [])
    },
  },
  scoped(54, 'no _type with the scope of Location only', 'system/Location.read', [], 403),
  { ...scoped(55, 'no _type without an exportable scope', noExportable, [], 403), profile: 'millennium' },
  { ...scoped(55, 'no _type with the scope of one type that R4 has', noExportable, [], 202), profile: 'hl7' },
  scoped(55, 'no _type without a scope to read', 'system/Condition.write', [], 403),
  scoped(56, '_type Condition without the scope of Patient', 'system/Condition.read', types('Condition'), 202),
]
