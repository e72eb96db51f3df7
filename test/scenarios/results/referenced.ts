import assert from 'node:assert/strict'
import { referenceHopsMax } from '../../../src/protocol/limits.ts'
import { packChanged } from '../../../src/records/packs/packer.ts'
import { exported } from '../exported.ts'
import { entry, patientEntry } from '../kick-off.ts'
import { condition, encounter, observation, patient, provenance, put, putAlone, referenceTo } from '../resources.ts'
import type { Scenario } from '../scenario.ts'
import type { ScenarioSuite } from '../suite.ts'

const named = (resourceType: string, id: string, more: object = {}) => ({ resourceType, id, name: id, ...more })

/** Two patients whose records refer to the same and to other places, organizations and people in many ways. */
async function putNetwork(suite: ScenarioSuite): Promise<void> {
  const base = suite.base('clinic')
  await put(suite, [
    named('Organization', 'net-parent'),
    named('Organization', 'net-manager', { partOf: referenceTo('Organization/net-parent') }),
    named('Organization', 'net-assigner'),
    named('Organization', 'net-unused'),
    named('Location', 'net-ward', { managingOrganization: referenceTo('Organization/net-manager-of-ward') }),
    named('Location', 'net-versioned'),
    named('Location', 'net-extension'),
    named('Practitioner', 'net-doctor'),
    named('Practitioner', 'net-absolute'),
    named('Practitioner', 'net-author'),
    { ...patient('net-1'), managingOrganization: referenceTo('Organization/net-manager') },
    {
      ...patient('net-2'),
      generalPractitioner: [referenceTo('Practitioner/net-doctor')],
      identifier: [{ value: '1', assigner: referenceTo('Organization/net-assigner') }],
    },
    encounter('net-3', 'net-1', {
      contained: [{ resourceType: 'Location', id: 'room', name: 'a contained room' }],
      location: [{ location: referenceTo('#room') }, { location: referenceTo('Location/net-ward') }],
      participant: [{ individual: referenceTo('Practitioner/net-doctor') }],
    }),
    encounter('net-4', 'net-2', {
      location: [
        { location: referenceTo('Location/net-ward') },
        { location: referenceTo('Location/net-versioned/_history/1') },
      ],
      extension: [{ url: 'urn:x', valueReference: referenceTo('Location/net-extension') }],
    }),
    observation('net-6', 'net-1', {
      performer: [referenceTo('Practitioner/net-missing'), referenceTo('Organization/net-missing')],
    }),
    observation('net-7', 'net-2', { performer: [referenceTo('Practitioner/net-missing')] }),
    provenance('net-8', ['Condition/net-5'], 1, { agent: [{ who: referenceTo('Practitioner/net-author') }] }),
  ])
  await putAlone(
    suite,
    condition('net-5', 'net-2', {
      recorder: referenceTo(`${base}/Practitioner/net-absolute`),
      asserter: referenceTo('https://fhir.example.org/Practitioner/net-unused'),
      note: [
        {
          text: 'Practitioner/net-unused',
          authorReference: referenceTo('urn:example:somebody'),
        },
      ],
    }),
  )
}

const network = [patientEntry('Patient/net-1'), patientEntry('Patient/net-2')]

/** Protocol §4: the Locations, Organizations and Practitioners that exported records refer to. */
export const referencedScenarios: readonly Scenario[] = [
  {
    t: [],
    rules: ['§4', 'O-14'],
    does: 'records that refer to places, organizations and people',
    outcome: 'each once, by one hop, contained and foreign ones left out, missing ones reported once',
    run: async (suite) => {
      await putNetwork(suite)
      const found = await exported(suite, await suite.newCaller(), { patients: network })
      assert.deepEqual(found.ids('Location'), ['net-extension', 'net-versioned', 'net-ward'])
      assert.deepEqual(found.ids('Organization'), ['net-assigner', 'net-manager'])
      assert.deepEqual(found.ids('Practitioner'), ['net-absolute', 'net-author', 'net-doctor'])
      assert.deepEqual(found.errors.map(({ severity, code, diagnostics }) => [severity, code, diagnostics]).sort(), [
        ['warning', 'not-found', 'Organization/net-missing'],
        ['warning', 'not-found', 'Practitioner/net-missing'],
      ])
    },
  },
  {
    t: [],
    rules: ['§4', 'S-28'],
    does: 'a _type without Organization, and records that are not exported',
    outcome: 'only selected types, only references of exported records',
    run: async (suite) => {
      await putNetwork(suite)
      const parameters = [entry('_type', 'valueString', 'Patient,Encounter,Location,Practitioner')]
      const found = await exported(suite, await suite.newCaller(), { patients: [network[0]], parameters })
      assert.deepEqual(found.types, ['Encounter', 'Location', 'Patient', 'Practitioner'])
      assert.deepEqual(found.ids('Location'), ['net-ward'])
      assert.deepEqual(found.ids('Practitioner'), ['net-doctor'])
      assert.deepEqual(found.errors, [])
    },
  },
  {
    t: [],
    rules: ['§4', 'O-14'],
    does: 'records that refer to records that refer to others, in a tenant that follows them',
    outcome: 'each once, circles end, what is not there is reported once, types that are not selected are not followed',
    run: async (suite) => {
      const partOf = (name: string) => ({ partOf: referenceTo(name) })
      await put(
        suite,
        [
          patient('walk'),
          encounter('walk-1', 'walk', {
            location: [{ location: referenceTo('Location/room') }, { location: referenceTo('Location/self') }],
            participant: [{ individual: referenceTo('Practitioner/doctor') }],
          }),
          named('Location', 'room', {
            ...partOf('Location/ward'),
            managingOrganization: referenceTo('Organization/hospital'),
          }),
          named('Location', 'ward', partOf('Location/house')),
          named('Location', 'house', partOf('Location/lost')),
          named('Location', 'self', partOf('Location/self')),
          named('Organization', 'hospital', partOf('Organization/trust')),
          named('Organization', 'trust', partOf('Organization/holding')),
          named('Organization', 'holding', partOf('Organization/hospital')),
          named('Practitioner', 'doctor', { qualification: [{ issuer: referenceTo('Organization/university') }] }),
          named('Organization', 'university', partOf('Organization/lost')),
          named('Organization', 'stranger', partOf('Organization/trust')),
        ],
        'chain',
      )
      const caller = await suite.newCaller('chain')
      const patients = [patientEntry('Patient/walk')]
      const found = await exported(suite, caller, { patients })
      assert.deepEqual(found.ids('Location'), ['house', 'room', 'self', 'ward'])
      assert.deepEqual(found.ids('Organization'), ['holding', 'hospital', 'trust', 'university'])
      assert.deepEqual(found.ids('Practitioner'), ['doctor'])
      assert.deepEqual(found.errors.map(({ code, diagnostics }) => [code, diagnostics]).sort(), [
        ['not-found', 'Location/lost'],
        ['not-found', 'Organization/lost'],
      ])
      const parameters = [entry('_type', 'valueString', 'Encounter,Organization')]
      const some = await exported(suite, caller, { patients, parameters })
      assert.deepEqual(some.types, ['Encounter'], 'no exported record refers to an Organization')
    },
  },
  {
    t: [],
    rules: ['§4'],
    does: 'a conditional reference to a Practitioner that was never resolved',
    outcome: 'a warning where a Practitioner could have come, with the type and no more; the same from packs',
    run: async (suite) => {
      await put(suite, [patient('loose')])
      const performer = [
        referenceTo('Practitioner?identifier=urn:npi|1'),
        referenceTo('PractitionerRole?identifier=a|b'),
      ]
      await putAlone(suite, observation('loose', 'loose', { performer }))
      const patients = [patientEntry('Patient/loose')]
      const caller = await suite.newCaller()
      const told = async (types?: string) =>
        (
          await exported(suite, caller, {
            patients,
            ...(types === undefined ? {} : { parameters: [entry('_type', 'valueString', types)] }),
          })
        ).errors.map(({ severity, code, diagnostics }) => [severity, code, diagnostics])
      assert.deepEqual(await told(), [['warning', 'incomplete', 'Practitioner']])
      assert.deepEqual(await told('Observation'), [])
      await packChanged(suite.server.pool, { tenant: 'clinic', settledMs: 0 }, () => true)
      assert.deepEqual(await told(), [['warning', 'incomplete', 'Practitioner']])
    },
  },
  {
    t: [],
    rules: ['§10', 'O-14'],
    does: 'a granular scope on the way',
    outcome: 'what may not be read is not followed',
    run: async (suite) => {
      const partOf = (name: string) => ({ partOf: referenceTo(`Organization/${name}`) })
      await put(
        suite,
        [
          { ...patient('gated'), managingOrganization: referenceTo('Organization/gate-1') },
          named('Organization', 'gate-1', { active: true, ...partOf('gate-2') }),
          named('Organization', 'gate-2', { active: false, ...partOf('gate-3') }),
          named('Organization', 'gate-3', { active: true }),
        ],
        'chain',
      )
      const caller = await suite.newCaller('chain', 'system/Patient.read system/Organization.rs?active=true')
      const found = await exported(suite, caller, { patients: [patientEntry('Patient/gated')] })
      assert.deepEqual(found.ids('Organization'), ['gate-1'])
      assert.deepEqual(found.errors, [])
    },
  },
  ...[referenceHopsMax - 1, referenceHopsMax, referenceHopsMax + 1].map((hops): Scenario => {
    const within = hops <= referenceHopsMax
    return {
      t: [],
      rules: ['O-14'],
      does: `a chain of ${hops} hops from the first referenced record, the end of which is a circle`,
      outcome: within ? 'all of it, and no warning' : 'all but the last, and a warning',
      run: async (suite) => {
        const link = (number: number) => `long-${hops}-${String(number).padStart(3, '0')}`
        const chain = Array.from({ length: hops + 1 }, (_, number) =>
          named('Organization', link(number), {
            partOf: referenceTo(`Organization/${link(Math.min(number + 1, hops))}`),
          }),
        )
        const owner = `long-${hops}`
        const first = { ...patient(owner), managingOrganization: referenceTo(`Organization/${link(0)}`) }
        await put(suite, [first, ...chain], 'chain')
        const found = await exported(suite, await suite.newCaller('chain'), {
          patients: [patientEntry(`Patient/${owner}`)],
        })
        assert.equal(found.ids('Organization').length, Math.min(hops, referenceHopsMax) + 1)
        assert.deepEqual(
          found.errors.map(({ code }) => code),
          within ? [] : ['incomplete'],
        )
      },
    }
  }),
]
