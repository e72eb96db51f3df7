import { isObject, type JsonObject } from './json/json-object.ts'
import { notedReference, openMarks } from './open-reference.ts'
import { localReference } from './reference.ts'
import { type ClinicalType, isCompartmentType, isTargetType, patientElements } from './resource-types.ts'

/**
 * The element that says whose record it is, of the types that Oracle documents. Not the compartment: Device is missing from it, and a
 * participant is not a subject (search-params §7).
 */
const subjectElement: Record<ClinicalType, 'patient' | 'subject'> = {
  AllergyIntolerance: 'patient',
  CarePlan: 'subject',
  CareTeam: 'subject',
  Condition: 'subject',
  Device: 'patient',
  DiagnosticReport: 'subject',
  DocumentReference: 'subject',
  Encounter: 'subject',
  Goal: 'subject',
  Immunization: 'patient',
  MedicationRequest: 'subject',
  Observation: 'subject',
  Procedure: 'subject',
}

/**
 * The patients that one record may belong to, and what its text may take in all of their rows, in bytes, for it stands in each: as much as the
 * longest record of one patient. A record that would take more, such as a large Group, is nobody's (docs/decisions/0056).
 */
export const ownersMax = 100
export const ownedBytesMax = 16 * 1024 * 1024

/** Whether these are more owners than a record may have that is so long. One patient's it may always be. */
export const isCrowd = (owners: number, textBytes: number): boolean =>
  owners > 1 && (owners > ownersMax || owners * textBytes > ownedBytesMax)

/** Stands among the references of a record that is not in the exports of all patients that it would belong to, for they are a crowd. */
export const crowdMark = `${openMarks.crowded}/Patient`

/** See `subjectElement`; undefined for types that belong to nobody, or to patients in another way. */
export const subjectElementOf = (type: string): 'patient' | 'subject' | undefined =>
  subjectElement[type as ClinicalType]

function referenceText(value: unknown): string | undefined {
  return isObject(value) && typeof value.reference === 'string' ? value.reference : undefined
}

export const nobody: readonly string[] = ['']

/**
 * The ids of the patients that the resource belongs to, in order, `['']` for nobody: those whose compartment it stands in, and of the documented
 * types the subject. Nobody owns a type without owners, and one of patients that are not of this tenant. A Provenance belongs to those who own its
 * targets, which is not asked here, and neither is whether they are a crowd. Other rules than these are for new records only: a migration then
 * lists all tenants in `outdated_tenant`, and `records/rules` puts what they have under them.
 */
export function belonging(resource: JsonObject, type: string, id: string, bases: readonly string[]): readonly string[] {
  if (type === 'Patient') return [id]
  const patients = new Set<string>()
  for (const value of ownerElements(resource, type)) {
    const reference = referenceText(value)
    const target = reference && localReference(reference, bases)
    if (target && target.type === 'Patient') patients.add(target.id)
  }
  return patients.size === 0 ? nobody : [...patients].sort()
}

function* ownerElements(resource: JsonObject, type: string): Generator<unknown> {
  if (isCompartmentType(type)) for (const path of patientElements(type)) yield* valuesAt(resource, path.split('.'), 0)
  else {
    const element = subjectElementOf(type)
    if (element) yield resource[element]
  }
}

/** What stands at a path, through the items of all arrays on the way. */
function* valuesAt(value: unknown, path: readonly string[], from: number): Generator<unknown> {
  if (Array.isArray(value)) for (const item of value) yield* valuesAt(item, path, from)
  else if (from === path.length) yield value
  else if (isObject(value)) yield* valuesAt(value[path[from]!], path, from + 1)
}

/** The targets of a Provenance that are of a type with owners, as distinct `Type/id` (S-8: the other types do not count). */
export function provenanceTargets(resource: JsonObject, bases: readonly string[]): string[] {
  const targets = new Set<string>()
  for (const item of Array.isArray(resource.target) ? resource.target : []) {
    const reference = referenceText(item)
    const target = reference && localReference(reference, bases)
    if (target && isTargetType(target.type)) targets.add(`${target.type}/${target.id}`)
  }
  return [...targets]
}

/**
 * Every record of a type that may come along that the resource refers to at any depth, as distinct `Type/id` (protocol §4), and the
 * marks of its open references.
 */
export function referencedRecords(resource: JsonObject, bases: readonly string[]): string[] {
  const found = new Set<string>()
  collect(resource, bases, found)
  return [...found]
}

function collect(value: unknown, bases: readonly string[], found: Set<string>): void {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    for (const item of value) collect(item, bases, found)
    return
  }
  for (const name in value) {
    const member = (value as JsonObject)[name]
    if (typeof member === 'object') collect(member, bases, found)
    else if (name === 'reference' && typeof member === 'string') {
      const noted = notedReference(member, bases)
      if (noted !== undefined) found.add(noted)
    }
  }
}
