import assert from 'node:assert/strict'
import { ownersMax } from '../../../src/fhir/ownership.ts'
import { packChanged } from '../../../src/records/packs/packer.ts'
import { type Exported, exported, exportedBy } from '../exported.ts'
import { entry, patientEntry } from '../kick-off.ts'
import { observation, patient, put, type Resource, referenceTo } from '../resources.ts'
import type { Scenario } from '../scenario.ts'
import type { ScenarioSuite } from '../suite.ts'

const groupOf = (id: string, members: readonly string[]): Resource => ({
  resourceType: 'Group',
  id,
  member: members.map((member) => ({ entity: referenceTo(`Patient/${member}`) })),
})

const specimen = (id: string, more: object = {}): Resource => ({ resourceType: 'Specimen', id, ...more })

const appointment = (id: string, patients: readonly string[], more: object = {}): Resource => ({
  resourceType: 'Appointment',
  id,
  participant: patients.map((each) => ({ actor: referenceTo(`Patient/${each}`) })),
  ...more,
})

/** f, m and n are patients; what f's Observation and Appointment refer to is nobody's, or of others, or not there. */
const clinic: readonly Resource[] = [
  ...['hc-f', 'hc-m', 'hc-n'].map(patient),
  { resourceType: 'Practitioner', id: 'hc-d' },
  { resourceType: 'Schedule', id: 'hc-s', actor: [referenceTo('Practitioner/hc-d')] },
  specimen('hc-nobodys'),
  specimen('hc-others', { subject: referenceTo('Patient/hc-m') }),
  appointment('hc-of-both', ['hc-f', 'hc-m'], { supportingInformation: [referenceTo('Schedule/hc-s')] }),
  appointment('hc-of-others', ['hc-m', 'hc-n']),
  observation('hc-o', 'hc-f', {
    specimen: referenceTo('Specimen/hc-nobodys'),
    focus: ['Specimen/hc-others', 'Specimen/hc-gone', 'Appointment/hc-of-both', 'Appointment/hc-of-others'].map(
      referenceTo,
    ),
  }),
]

async function exportedFrom(suite: ScenarioSuite, path: string): Promise<Exported> {
  const caller = await suite.newCaller('hamlet')
  const answer = await suite.ask(caller, 'GET', path)
  assert.equal(answer.status, 202, answer.body.toString('utf8'))
  return exportedBy(suite, caller, String(answer.headers['content-location']))
}

const told = ({ errors }: Exported): string[] =>
  errors.map(({ details, diagnostics }) => `${details?.text} ${diagnostics}`)

/** Decision 0056: whose the records of the Patient compartment are, and what comes along with them. */
export const compartmentScenarios: readonly Scenario[] = [
  {
    t: [],
    rules: ['§4', 'S-8'],
    does: 'references to records of types that may belong to patients: of nobody, of other patients, of several, and to none',
    outcome: 'those of nobody come along, once; the one that is not there is named; those of others stay away',
    run: async (suite) => {
      await put(suite, clinic, 'hamlet')
      const ofOne = {
        Appointment: ['hc-of-both'],
        Observation: ['hc-o'],
        Patient: ['hc-f'],
        Schedule: ['hc-s'],
        Specimen: ['hc-nobodys'],
      }
      for (const state of ['versions', 'packs']) {
        const found = await exportedFrom(suite, '/Patient/hc-f/$export')
        assert.deepEqual(Object.fromEntries(found.types.map((type) => [type, found.ids(type)])), ofOne, state)
        const absent = told(found).filter((text) => text.startsWith('A referenced record is not'))
        assert.deepEqual(absent, ['A referenced record is not in the store. Specimen/hc-gone'], state)
        const all = await exportedFrom(suite, '/Patient/$export?_type=Appointment,Observation,Specimen')
        assert.deepEqual(all.ids('Appointment'), ['hc-of-both', 'hc-of-others'], state)
        assert.deepEqual(all.ids('Specimen'), ['hc-nobodys', 'hc-others'], state)
        const change = {
          patients: [patientEntry('Patient/hc-f')],
          parameters: [entry('organizeOutputBy', 'valueString', 'Patient')],
        }
        const [block = []] = (await exported(suite, await suite.newCaller('hamlet'), change)).files
        const keys = block.slice(1).map((line) => Object.values(JSON.parse(line)).slice(0, 2).join('/'))
        assert.deepEqual(
          keys.sort(),
          Object.entries(ofOne).map((each) => each.join('/')),
          state,
        )
        await packChanged(suite.server.pool, { tenant: 'hamlet', settledMs: 0 }, () => true)
      }
    },
  },
  {
    t: [],
    rules: ['§4'],
    does: 'a Group of more patients than a record may belong to',
    outcome: 'the `error` file counts it, whoever of its patients is exported',
    run: async (suite) => {
      const members = Array.from({ length: ownersMax + 1 }, (_, number) => `hg-${number}`)
      await put(suite, [patient('hg-0'), groupOf('hg-many', members), groupOf('hg-few', members.slice(1))], 'hamlet')
      const errorsOf = async (name?: string, value?: string) => {
        const parameters = name === undefined ? [] : [entry(name, 'valueString', value!)]
        const change = { patients: [patientEntry('Patient/hg-0')], parameters }
        return told(await exported(suite, await suite.newCaller('hamlet'), change))
      }
      const crowded = 'Records of more patients than a record may belong to do not come with their patients. Group: 1'
      assert.deepEqual(told(await exportedFrom(suite, '/Patient/hg-0/$export')), [crowded])
      assert.deepEqual(await errorsOf(), [crowded])
      assert.deepEqual(await errorsOf('_type', 'Group'), [crowded])
      assert.deepEqual(await errorsOf('_type', 'Patient'), [])
      assert.deepEqual(await errorsOf('_typeFilter', 'Group?_id=hg-few'), [])
      const [all] = told(await exportedFrom(suite, '/Patient/$export?_type=Group'))
      assert.match(all!, /belong to none that is known here, .*: 1$/)
    },
  },
]
