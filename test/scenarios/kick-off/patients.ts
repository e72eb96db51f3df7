import assert from 'node:assert/strict'
import { exported } from '../exported.ts'
import { entry, kickOffRequest, patientEntry } from '../kick-off.ts'
import { assertRefused } from '../outcome.ts'
import { condition, patient, put } from '../resources.ts'
import type { Scenario } from '../scenario.ts'

const reference = 'Parameters.parameter[0].valueReference.reference'

/** T-17…T-31: the patients of the body. */
export const patientScenarios: readonly Scenario[] = [
  {
    t: [17],
    rules: ['S-21'],
    does: 'the same patient twice, once by an absolute reference',
    outcome: '202, the data once',
    run: async (suite) => {
      await put(suite, [patient('twice'), condition('twice-1', 'twice')])
      const patients = [patientEntry('Patient/twice'), patientEntry('{base}/Patient/twice')]
      const found = await exported(suite, await suite.newCaller(), { patients })
      assert.deepEqual([found.ids('Patient'), found.ids('Condition')], [['twice'], ['twice-1']])
    },
  },
  {
    t: [18],
    rules: ['S-24'],
    does: 'patient as valueString',
    change: { patients: [entry('patient', 'valueString', 'Patient/minimal')] },
    status: 400,
    code: 'invalid',
    fine: 'structure',
    expression: 'Parameters.parameter[0].valueString',
  },
  {
    t: [19],
    rules: ['S-24'],
    does: 'a patient by identifier only',
    change: { patients: [entry('patient', 'valueReference', { identifier: { value: '1' } })] },
    status: 400,
    code: 'invalid',
    fine: 'required',
    expression: reference,
  },
  {
    t: [19],
    rules: ['S-24'],
    does: 'a patient by display only',
    change: { patients: [entry('patient', 'valueReference', { display: 'Somebody' })] },
    status: 400,
    code: 'invalid',
    fine: 'required',
    expression: reference,
  },
  { ...badReference('Group/1'), t: [20] },
  { ...badReference('12783127'), t: [21] },
  {
    t: [22],
    rules: ['S-24', 'O-8'],
    does: 'an absolute reference under our base',
    change: { patients: [patientEntry('{base}/Patient/minimal')] },
    status: 202,
  },
  { ...badReference('https://fhir.example.org/r4/clinic/Patient/minimal'), t: [23] },
  { ...badReference('{base}-2/Patient/minimal'), t: [23] },
  { ...badReference('Patient/minimal/_history/1'), t: [24] },
  { ...badReference('#p1'), t: [25] },
  { ...badReference('urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0'), t: [25] },
  { ...badReference(`Patient/${'a'.repeat(65)}`), t: [26] },
  { ...badReference('Patient/a_b'), t: [26] },
  { ...badReference('Patient/'), t: [26] },
  { ...badReference('Patient?identifier=1'), t: [26] },
  {
    t: [27],
    rules: ['S-24'],
    does: 'a Patient reference whose type is Group',
    change: { patients: [entry('patient', 'valueReference', { reference: 'Patient/minimal', type: 'Group' })] },
    status: 400,
    code: 'invalid',
    fine: 'value',
    expression: 'Parameters.parameter[0].valueReference.type',
  },
  {
    t: [28],
    rules: ['O-9', 'D33'],
    does: 'unknown patient (strict)',
    change: { patients: [patientEntry('Patient/minimal'), patientEntry('Patient/nobody')] },
    status: 400,
    code: 'not-found',
    fine: 'not-found',
  },
  {
    t: [28],
    rules: ['O-9'],
    does: 'a patient that was deleted',
    outcome: '400 not-found',
    run: async (suite) => {
      await put(suite, [patient('gone')])
      const caller = await suite.sharedCaller()
      assert.equal((await suite.ask(caller, 'DELETE', '/Patient/gone')).status, 204)
      const answer = await suite.send(await kickOffRequest(suite, caller, { patients: [patientEntry('Patient/gone')] }))
      assertRefused(answer, 400, 'not-found')
    },
  },
  {
    t: [29],
    rules: ['O-9', 'D33', 'S-13'],
    does: 'unknown patient (lenient)',
    change: {
      headers: { prefer: 'respond-async, handling=lenient' },
      patients: [patientEntry('Patient/nobody'), patientEntry('Patient/minimal')],
    },
    status: 202,
    warnings: ['not-found'],
  },
  {
    t: [30],
    rules: ['O-9', 'S-13'],
    does: 'all patients unknown (lenient)',
    outcome: '202, nothing but warnings',
    run: async (suite) => {
      const change = {
        headers: { prefer: 'respond-async, handling=lenient' },
        patients: [patientEntry('Patient/nobody'), patientEntry('Patient/no-one')],
      }
      const { manifest, errors } = await exported(suite, await suite.newCaller(), change)
      assert.deepEqual(manifest.output, [])
      assert.deepEqual(
        errors.map(({ severity, code, diagnostics }) => [severity, code, diagnostics]),
        [
          ['warning', 'not-found', 'Patient/nobody'],
          ['warning', 'not-found', 'Patient/no-one'],
        ],
      )
    },
  },
  {
    t: [31],
    rules: ['O-9'],
    does: "another tenant's patient",
    outcome: '400 not-found, as if there were none',
    run: async (suite) => {
      await put(suite, [patient('next-door')], 'neighbour')
      const caller = await suite.sharedCaller()
      const ask = async (id: string) =>
        suite.send(await kickOffRequest(suite, caller, { patients: [patientEntry(`Patient/${id}`)] }))
      const [foreign, unknown] = [await ask('next-door'), await ask('nobody')]
      assert.equal(foreign.status, 400)
      assert.equal(foreign.body.toString('utf8').replaceAll('next-door', 'nobody'), unknown.body.toString('utf8'))
    },
  },
]

/** O-8: a reference that is none to a patient of the tenant. */
function badReference(text: string) {
  return {
    rules: ['S-24', 'O-8'],
    does: `patient ${text.length > 60 ? `${text.slice(0, 20)}…` : text}`,
    change: { patients: [patientEntry(text)] },
    status: 400,
    code: 'invalid',
    fine: 'value',
    expression: reference,
  } as const
}
