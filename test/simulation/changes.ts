import fc from 'fast-check'
import { formatInstant } from '../../src/fhir/instant.ts'
import { documentedTypes } from '../../src/fhir/resource-types.ts'
import type { ModelRecord } from './model.ts'

/** A change of one record: `record` is missing for a delete. */
export interface SimulatedChange {
  readonly type: string
  readonly id: string
  readonly record: ModelRecord | undefined
}

/** The FHIR base of every simulated tenant. */
export const simulatedBase = 'https://fhir.example.org/r4/simulated'

/** Few records and few patients, so that writes, deletes and moves meet often. */
export const patientIds = ['p0', 'p1', 'p2', 'p3']
const clinicalKeys = ['Condition/c0', 'Condition/c1', 'Device/d0', 'Observation/o0', 'CareTeam/t0', 'Immunization/i0']
/** Types of which a record may belong to several patients, and such records. */
const wideTypes = ['Appointment', 'Composition', 'RelatedPerson'] as const
const wideKeys = ['Appointment/a0', 'Appointment/a1', 'Composition/k0', 'RelatedPerson/r0']
const provenanceIds = ['v0', 'v1', 'v2']
const referenceKeys = ['Practitioner/a0', 'Practitioner/a1', 'Organization/g0', 'Location/l0']
const ownedKeys = [...patientIds.map((id) => `Patient/${id}`), ...clinicalKeys, ...wideKeys]

/** The types of all these records, and others. */
export const simulatedTypes = [...documentedTypes, ...wideTypes]

const allKeys = [...ownedKeys, ...provenanceIds.map((id) => `Provenance/${id}`), ...referenceKeys]

const reference = (to: string): string => `{"reference":"${to}"}`

/** Of each of these the one patient's id is known at a glance; the last four belong to nobody. */
const subjects = [
  ...patientIds.map((id) => `Patient/${id}`),
  `${simulatedBase}/Patient/p0`,
  'Patient/p1/_history/1',
  'Group/g',
  '#contained',
  'https://elsewhere.example.org/r4/simulated/Patient/p0',
  'Patient',
]

/** What changes between two versions of the same record; equal numbers are equal content. */
const literals = ['1.10', '1.1', '2e0']
const oddText = '\u2028 \\u0041 é😀 \\/'

interface Content {
  readonly literal: string
  /** Members of the source's own `meta`, besides stale ones that must go; undefined for no `meta`. */
  readonly meta: string | undefined
  readonly refs: readonly string[]
}

const content: fc.Arbitrary<Content> = fc.record({
  literal: fc.constantFrom(...literals),
  meta: fc.constantFrom(undefined, '', '"tag":[{"code":"1.10"}]'),
  refs: fc.subarray([...referenceKeys, 'Practitioner/missing', '#inside'], { maxLength: 2 }),
})

/** Builds a record from its own members. The stored line is put together here, not by cutting the source open. */
function recordOf(key: string, members: string, { literal, meta, refs }: Content): ModelRecord {
  const [type, id] = key.split('/') as [string, string]
  const head = `{"resourceType":"${type}","id":"${id}"`
  const performers = refs.map(reference).join(',')
  const tail = `${members},"n":${literal},"text":"${oddText}","performer":[${performers}]}`
  const stale = '"versionId":"99","lastUpdated":"2001-01-01T00:00:00Z"'
  const own = meta === undefined ? '' : `,"meta":{${[stale, meta].filter(Boolean).join(',')}}`
  return {
    type,
    id,
    source: head + own + tail,
    text: (version, lastUpdated) => {
      const stamp = `"versionId":"${version}","lastUpdated":"${formatInstant(lastUpdated)}"`
      return `${head},"meta":{${stamp}${meta ? `,${meta}` : ''}}${tail}`
    },
  }
}

const subjectMember = (key: string, subject: string): string =>
  `,"${/^(Device|Immunization)/.test(key) ? 'patient' : 'subject'}":${reference(subject)}`

const targetMember = (targets: readonly string[]): string => `,"target":[${targets.map(reference)}]`

const clinical = fc
  .tuple(fc.constantFrom(...clinicalKeys), fc.constantFrom(...subjects), fc.constantFrom(...patientIds), content)
  .map(([key, subject, actor, about]) => {
    const members = `${subjectMember(key, subject)},"participant":[{"member":${reference(`Patient/${actor}`)}}]`
    return recordOf(key, members, about)
  })

/** Members of a record that names patients in one way or another. */
const wideMembers: Readonly<Record<string, (named: readonly string[]) => string>> = {
  Appointment: (named) => `,"participant":[${named.map((one) => `{"actor":${reference(one)}}`)}]`,
  Composition: ([subject, ...authors]) =>
    `${subject ? `,"subject":${reference(subject)}` : ''},"author":[${authors.map(reference)}]`,
  RelatedPerson: ([patient]) => `,"patient":${reference(patient ?? 'Patient')}`,
}

const wide = fc
  .tuple(fc.constantFrom(...wideKeys), fc.shuffledSubarray(subjects, { maxLength: 3 }), content)
  .map(([key, named, about]) => recordOf(key, wideMembers[key.split('/')[0]!]!(named), about))

const instants = ['2021-03-18T19:19:42.000Z', '2021-03-18T21:19:42.001+02:00', '2020-01-01T00:00:00Z']

const provenance = fc
  .tuple(
    fc.constantFrom(...provenanceIds),
    fc.subarray([...ownedKeys, 'Condition/c0/_history/1', 'Practitioner/a0'], { maxLength: 3 }),
    fc.option(fc.constantFrom(...instants), { nil: undefined }),
    content,
  )
  .map(([id, targets, recorded, about]) => {
    const members = targetMember(targets) + (recorded ? `,"recorded":"${recorded}"` : '')
    return recordOf(`Provenance/${id}`, members, about)
  })

const patient = fc
  .tuple(fc.constantFrom(...patientIds), content)
  .map(([id, about]) => recordOf(`Patient/${id}`, ',"link":[{"other":{"reference":"Patient/p9"}}]', about))

const referenced = fc
  .tuple(fc.constantFrom(...referenceKeys), content)
  .map(([key, about]) => recordOf(key, ',"partOf":{"reference":"Organization/parent"}', { ...about, refs: [] }))

const record = fc.oneof(
  { weight: 6, arbitrary: clinical },
  { weight: 4, arbitrary: wide },
  { weight: 5, arbitrary: provenance },
  { weight: 2, arbitrary: patient },
  { weight: 2, arbitrary: referenced },
)

/** A failing interleaving is printed as sources, not as objects. */
const described = (type: string, id: string, one: ModelRecord | undefined): SimulatedChange => {
  const text = one?.source ?? `delete ${type}/${id}`
  return Object.defineProperty({ type, id, record: one }, fc.toStringMethod, { value: () => text })
}

const put = record.map((one) => putOf(one))
const remove = fc.constantFrom(...allKeys).map((key) => {
  const [type, id] = key.split('/') as [string, string]
  return described(type, id, undefined)
})

/** Changes of distinct records, to be written together. */
export const batch: fc.Arbitrary<SimulatedChange[]> = fc.uniqueArray(
  fc.oneof({ weight: 4, arbitrary: put }, { weight: 1, arbitrary: remove }),
  { selector: ({ type, id }) => `${type}/${id}`, minLength: 1, maxLength: 8 },
)

const plain: Content = { literal: '1', meta: undefined, refs: [] }
const putOf = (one: ModelRecord): SimulatedChange => described(one.type, one.id, one)

/** A clinical record of a subject, with nothing else but perhaps a note. */
export const clinicalRecord = (key: string, subject: string, note?: string): SimulatedChange =>
  putOf(recordOf(key, subjectMember(key, subject) + (note === undefined ? '' : `,"note":"${note}"`), plain))

/** A Provenance of some targets, with nothing else. */
export const provenanceRecord = (key: string, targets: readonly string[]): SimulatedChange =>
  putOf(recordOf(key, targetMember(targets), plain))

/** A Patient, with nothing else. */
export const patientRecord = (id: string): SimulatedChange => putOf(recordOf(`Patient/${id}`, '', plain))
