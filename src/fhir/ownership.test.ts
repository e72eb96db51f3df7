import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { typesFile, typesText } from '../../scripts/resource-types/source-text.ts'
import { attachmentNames, typesTable } from '../../scripts/resource-types/table.ts'
import type { JsonObject } from './json/json-object.ts'
import {
  belonging,
  isCrowd,
  ownedBytesMax,
  ownersMax,
  ownersOutsideMax,
  provenanceTargets,
  referencedRecords,
} from './ownership.ts'
import { clinicalTypes } from './resource-types.ts'

const base = 'https://fhir.example.org/r4/clinic'
const bases = [base]
const reference = (to: string) => ({ reference: to })

/** The one owner of a record, undefined for nobody. */
function ownerOf(resource: JsonObject, type: string, id: string, own: readonly string[]): string | undefined {
  const { owners } = belonging(resource, type, id, own)
  assert.equal(owners.length, 1)
  return owners[0] || undefined
}

describe('the types of R4', () => {
  it('are those of the official definitions', () => {
    const advice = 'run scripts/generate-resource-types.ts'
    assert.equal(readFileSync(typesFile, 'utf8'), typesText(typesTable(), attachmentNames()), advice)
  })
})

describe('the owner of a record (search-params §7)', () => {
  const byPatient = new Set(['AllergyIntolerance', 'Device', 'Immunization'])

  for (const type of clinicalTypes) {
    const element = byPatient.has(type) ? 'patient' : 'subject'
    const wrong = byPatient.has(type) ? 'subject' : 'patient'
    it(`is ${type}.${element}, not ${wrong}`, () => {
      assert.equal(ownerOf({ [element]: reference('Patient/p') }, type, 'x', bases), 'p')
      assert.equal(ownerOf({ [wrong]: reference('Patient/p') }, type, 'x', bases), undefined)
    })
  }

  it('is the patient itself for Patient, even when it links to another', () => {
    assert.equal(ownerOf({ link: [{ other: reference('Patient/q') }] }, 'Patient', 'p', bases), 'p')
  })

  it('is found through absolute and versioned references under our own base', () => {
    for (const to of [`${base}/Patient/p`, 'Patient/p/_history/4', `${base}/Patient/p/_history/4`]) {
      assert.equal(ownerOf({ subject: reference(to) }, 'Observation', 'x', bases), 'p')
    }
  })

  it('is nobody for a subject that is no patient of the tenant', () => {
    const subjects = ['Group/g', '#contained', 'https://elsewhere.example.org/r4/clinic/Patient/p', 'urn:uuid:1']
    for (const to of subjects) assert.equal(ownerOf({ subject: reference(to) }, 'Observation', 'x', bases), undefined)
  })

  it('is nobody for a subject by identifier only, for a list of subjects, and for none', () => {
    const subjects = [{ identifier: { value: '1' } }, [reference('Patient/p')], 'Patient/p', null, { reference: 7 }]
    for (const subject of subjects) assert.equal(ownerOf({ subject }, 'Observation', 'x', bases), undefined)
    assert.equal(ownerOf({}, 'Observation', 'x', bases), undefined)
  })

  it('is not an actor: performer, participant, author', () => {
    const team = { subject: reference('Patient/p'), participant: [{ member: reference('Patient/q') }] }
    assert.equal(ownerOf(team, 'CareTeam', 'x', bases), 'p')
    const observation = { subject: reference('Group/g'), performer: [reference('Patient/q')] }
    assert.equal(ownerOf(observation, 'Observation', 'x', bases), undefined)
  })

  it('is nobody for types that no patient owns', () => {
    for (const type of [
      'Location',
      'Organization',
      'Practitioner',
      'Medication',
      'Questionnaire',
      'Vehicle',
      'toString',
    ]) {
      const resource = { subject: reference('Patient/p'), patient: reference('Patient/p') }
      assert.equal(ownerOf(resource, type, 'x', bases), undefined)
    }
  })
})

describe('the owners of a record of the Patient compartment (docs/decisions/0056)', () => {
  const of = (type: string, resource: JsonObject) => belonging(resource, type, 'x', bases).owners
  const [p, q] = [reference('Patient/p'), reference(`${base}/Patient/q/_history/1`)]

  it('are all patients by whom it stands there, each once, in order', () => {
    const participant = [q, p, reference('Practitioner/d'), q].map((actor) => ({ actor }))
    assert.deepEqual(of('Appointment', { participant }), ['p', 'q'])
    assert.deepEqual(of('Coverage', { beneficiary: p, subscriber: q, payor: [p, reference('Organization/o')] }), [
      'p',
      'q',
    ])
    assert.deepEqual(of('Group', { member: [{ entity: p }, { entity: reference('Group/g') }] }), ['p'])
    assert.deepEqual(of('Claim', { patient: p, payee: { party: q } }), ['p', 'q'])
    assert.deepEqual(of('ServiceRequest', { subject: p, requester: q }), ['p'])
  })

  it('are nobody where no patient of the tenant stands there', () => {
    assert.deepEqual(of('ServiceRequest', { subject: reference('Group/g'), performer: [null, 7, {}] }), [''])
    assert.deepEqual(
      of('Appointment', { participant: { actor: reference('https://elsewhere.example.org/Patient/p') } }),
      [''],
    )
    assert.deepEqual(of('Appointment', {}), [''])
  })

  it('are told of where somebody stands there who is no patient that is known, and may be one', () => {
    const isStrangers = (type: string, resource: JsonObject) => belonging(resource, type, 'x', bases).isStrangers
    const patients = [
      reference('Patient?name=x'),
      reference('https://elsewhere.example/Patient/p'),
      { type: 'Patient' },
    ]
    const untold = [{ display: 'x' }, { identifier: {} }, reference('urn:uuid:1'), reference('#x'), 'Patient/p', null]
    const others = [reference('Group/g'), reference('https://elsewhere.example/Group/g'), { type: 'Group' }]
    for (const who of [...patients, ...untold]) {
      assert.ok(isStrangers('ServiceRequest', { subject: who }), JSON.stringify(who))
      assert.ok(isStrangers('Observation', { subject: who }), JSON.stringify(who))
      assert.equal(isStrangers('Schedule', { actor: [who] }), patients.includes(who as never), JSON.stringify(who))
      assert.equal(isStrangers('ServiceRequest', { subject: who, performer: [p] }), false, 'it is somebody’s')
    }
    for (const who of others) assert.equal(isStrangers('ServiceRequest', { subject: who }), false, JSON.stringify(who))
    assert.equal(isStrangers('ServiceRequest', {}), false)
    assert.equal(isStrangers('Observation', {}), false)
    assert.equal(isStrangers('Organization', { subject: { type: 'Patient' } }), false)
  })

  it('are a crowd where they are more than a record may have, or their rows longer', () => {
    const counts = [ownersMax - 1, ownersMax, ownersMax + 1]
    assert.deepEqual(
      counts.map((count) => isCrowd('Group', count, 1)),
      [false, false, true],
    )
    const bytes = [-1, 0, 1].map((more) => ownedBytesMax / 2 + more)
    assert.deepEqual(
      bytes.map((each) => isCrowd('Group', 2, each)),
      [false, false, true],
    )
    assert.equal(isCrowd('Group', 1, ownedBytesMax + 1), false, 'one patient may have the longest record')
    const outside = [ownersOutsideMax, ownersOutsideMax + 1].map((count) => isCrowd('Contract', count, 1))
    assert.deepEqual(outside, [false, true])
  })
})

describe('the targets of a Provenance', () => {
  it('are those of owned types, each once, whatever version they name', () => {
    const target = ['Condition/1', 'Condition/1/_history/2', `${base}/Patient/p`, 'Device/d'].map(reference)
    assert.deepEqual(provenanceTargets({ target }, bases), ['Condition/1', 'Patient/p', 'Device/d'])
  })

  it('leave out Location, Organization, Practitioner and everything else (S-8)', () => {
    const target = ['Location/1', 'Organization/1', 'Practitioner/1', 'Provenance/1', 'Medication/1', '#c'].map(
      reference,
    )
    assert.deepEqual(provenanceTargets({ target }, bases), [])
    assert.deepEqual(provenanceTargets({ target: [...target, reference('Goal/g')] }, bases), ['Goal/g'])
  })

  it('are none in a resource without a list of them', () => {
    for (const target of [undefined, null, {}, 'Condition/1', [null, 1, 'Condition/1', {}]]) {
      assert.deepEqual(provenanceTargets({ target }, bases), [])
    }
  })
})

describe('the records that a record refers to (protocol §4)', () => {
  it('are found at any depth, in contained resources and extensions, each once', () => {
    const resource = {
      generalPractitioner: [reference('Practitioner/1'), reference(`${base}/Organization/o`)],
      managingOrganization: reference('Organization/o/_history/1'),
      identifier: [{ assigner: reference('Organization/assigner') }],
      extension: [{ valueReference: reference('Location/l') }],
      contained: [{ resourceType: 'Location', managingOrganization: reference('Organization/inner') }],
    }
    assert.deepEqual(referencedRecords(resource, bases), [
      'Practitioner/1',
      'Organization/o',
      'Organization/assigner',
      'Location/l',
      'Organization/inner',
    ])
  })

  it('are no contained ones, none of types that are exported for themselves, and no other texts', () => {
    const resource = {
      location: reference('#location'),
      subject: reference('Patient/p'),
      note: [{ text: 'see Practitioner/9', reference: ['Practitioner/8'] }],
    }
    assert.deepEqual(referencedRecords(resource, bases), [])
  })

  it('are marked where they are open, with the type that can be told', () => {
    const performer = [
      'Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|1',
      `${base}/Organization?name=x`,
      'https://elsewhere.example.org/Practitioner/1/_history/2',
      'https://elsewhere.example.org/Practitioner/2',
      'https://elsewhere.example.org/x?Location/1',
      'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0',
      'PractitionerRole/1',
      `${base}/Medication/1`,
      'Vehicle/1',
      'ServiceRequest/1',
      'Coverage/1',
      'Observation/1',
      'no reference',
    ].map(reference)
    assert.deepEqual(referencedRecords({ performer }, bases), [
      '?/Practitioner',
      '?/Organization',
      '!/Practitioner',
      '!/-',
      ':/-',
      'PractitionerRole/1',
      'Medication/1',
      '+/Vehicle',
      'ServiceRequest/1',
      '*/-',
    ])
  })
})
