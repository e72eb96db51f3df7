import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { structureFaults } from '../../../test/structure.ts'
import { attachmentRefs } from '../../fhir/relations/attachment-urls.ts'
import { draftOf } from '../../records/draft.ts'
import { onePatient, population } from '../population.ts'
import type { PopulationRecord } from '../record.ts'
import type { PopulationOptions } from '../seat.ts'

const options: PopulationOptions = { patients: 40, seed: 1, pagePatients: true }

/** The types that a population has beside those of every one. */
const added = [
  ...['Appointment', 'Claim', 'Composition', 'Coverage', 'ExplanationOfBenefit', 'ImagingStudy', 'Medication'],
  ...['MedicationAdministration', 'MedicationDispense', 'PractitionerRole', 'QuestionnaireResponse', 'RelatedPerson'],
  ...['ServiceRequest', 'Specimen'],
]

describe('a population of all types', () => {
  let records: readonly PopulationRecord[]
  let keys: ReadonlySet<string>
  before(() => {
    records = [...population({ ...options, types: 'all' })]
    keys = new Set(records.map(({ type, id }) => `${type}/${id}`))
  })

  it('is the same for the same seed, and another one for another', () => {
    const lines = (seed: number) =>
      Array.from(population({ ...options, patients: 5, seed, types: 'all' }), ({ line }) => line)
    assert.deepEqual(lines(1), lines(1))
    assert.notDeepEqual(lines(1), lines(2))
  })

  it('has the records that there are without them, to the letter and in their order, and more types', () => {
    const all = records[Symbol.iterator]()
    const between = new Set<string>()
    for (const { line } of population(options)) {
      for (let next = all.next().value; next?.line !== line; next = all.next().value) {
        assert.ok(next, `a record is missing: ${line.slice(0, 100)}`)
        between.add(next.type)
      }
    }
    assert.deepEqual([...between].sort(), [...added, 'Binary', 'Provenance'].sort())
  })

  it('gives each of the patients of the page a record of every type', () => {
    for (let index = 0; index < 3; index++) {
      const types = new Set(Array.from(onePatient({ ...options, types: 'all' }, index), ({ type }) => type))
      for (const type of added) {
        if (type !== 'Medication' && type !== 'PractitionerRole') assert.ok(types.has(type), `${type} of ${index}`)
      }
    }
  })

  it('gives one patient alone as among the others', () => {
    const start = records.findIndex(({ type, id }) => type === 'Patient' && id === '20000008')
    const alone = [...onePatient({ ...options, types: 'all' }, 8)]
    assert.deepEqual(records.slice(start, start + alone.length), alone)
  })

  it('is R4 by the definitions: elements, cardinality, types, codes', () => {
    for (const { type, line } of records)
      assert.deepEqual(structureFaults(JSON.parse(line), type), [], line.slice(0, 200))
    const claim = JSON.parse(records.find(({ type }) => type === 'Claim')!.line)
    const faults = structureFaults(
      { ...claim, use: 'some', item: {}, priority: undefined, colour: 'red', created: 7 },
      'Claim',
    )
    assert.ok(faults.length >= 4, faults.join())
  })

  it('has distinct ids, and references and Attachments that lead to its records', () => {
    assert.equal(keys.size, records.length)
    for (const { type, line } of records) {
      for (const [, target] of line.matchAll(/"reference":"([A-Z][^"]*)"/g))
        assert.ok(keys.has(target!.replace(/\/_history\/.*$/, '')), `${type}: ${target}`)
      for (const target of attachmentRefs(Buffer.from(line), type, []))
        assert.ok(target.startsWith('@') || keys.has(target), `${type}: ${target}`)
    }
  })

  it('has records of two patients, Binaries of nobody, and Provenances about all of it', () => {
    const drafts = records.map(({ line }) => draftOf(line, [])).filter((draft) => 'text' in draft)
    const ofSeveral = (type: string) => drafts.some((draft) => draft.type === type && (draft.owners?.length ?? 0) > 1)
    assert.ok(ofSeveral('Appointment'))
    assert.ok(ofSeveral('Coverage'))
    const owners = new Set(drafts.filter(({ type }) => type === 'Binary').map((draft) => draft.owners![0] === ''))
    assert.equal(owners.size, 2)
    const targets = drafts.flatMap((draft) => draft.targets)
    for (const type of ['ServiceRequest', 'Claim', 'Coverage'])
      assert.ok(
        targets.some((target) => target.startsWith(`${type}/`)),
        type,
      )
  })
})
