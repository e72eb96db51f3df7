import assert from 'node:assert/strict'
import { Random } from '../../src/population/random.ts'
import { draftOf } from '../../src/records/draft.ts'
import { storeDrafts } from '../../src/records/load/store-drafts.ts'
import type { TestServer } from '../server.ts'

/** With texts of this length some thousand records are more than one partition may be. */
const textLength = 5_000
const digits = [...'0123456789abcdef']

/** Ids of as many patients. */
export const patientIds = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `p${String(index).padStart(3, '0')}`)

/** Lines that are easy to count and costly to export: every patient's Observations, Provenances of two patients each, one Practitioner. */
export function* heavyRecords(patients: readonly string[], observationsEach: number): Generator<string> {
  const random = new Random(1)
  const noise = Array.from({ length: textLength }, () => random.pick(digits)).join('')
  yield JSON.stringify({ resourceType: 'Practitioner', id: 'doctor' })
  for (const [index, id] of patients.entries()) {
    yield JSON.stringify({ resourceType: 'Patient', id, generalPractitioner: [{ reference: 'Practitioner/doctor' }] })
    const subject = { reference: `Patient/${id}` }
    for (let number = 0; number < observationsEach; number++) {
      const from = random.integer(0, textLength)
      const note = [{ text: noise.slice(from) + noise.slice(0, from) }]
      yield JSON.stringify({ resourceType: 'Observation', id: `${id}-${number}`, subject, note })
    }
    const next = patients[(index + 1) % patients.length]
    const target = [{ reference: `Observation/${id}-0` }, { reference: `Patient/${next}` }]
    yield JSON.stringify({ resourceType: 'Provenance', id: `${id}-v`, target, recorded: '2021-03-18T19:19:42.000Z' })
  }
}

/** `Type/id` of a line. */
export function keyOf(line: string): string {
  const { resourceType, id } = JSON.parse(line) as { resourceType: string; id: string }
  return `${resourceType}/${id}`
}

/** Puts lines into the store of a server. */
export async function store(server: TestServer, tenant: string, lines: Iterable<string>): Promise<void> {
  const drafts = [...lines].map((line) => {
    const draft = draftOf(line, [])
    assert.ok(!('fault' in draft))
    return draft
  })
  await storeDrafts(server.pool, tenant, drafts, false, () => {})
}
