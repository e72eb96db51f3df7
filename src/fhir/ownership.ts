import { isObject, type JsonObject } from './json/json-object.ts'
import { notedReference } from './open-reference.ts'
import { localReference } from './reference.ts'
import { type ClinicalType, clinicalTypes } from './resource-types.ts'

/**
 * The element that says whose record it is. Not the compartment: Device is missing from it, and a participant
 * is not a subject (search-params §7).
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

/** The types that belong to a patient by themselves; a Provenance belongs to the owners of its targets. */
export const ownedTypes: ReadonlySet<string> = new Set(['Patient', ...clinicalTypes])

/** See `subjectElement`; undefined for types that belong to nobody, or to a patient in another way. */
export const subjectElementOf = (type: string): 'patient' | 'subject' | undefined =>
  subjectElement[type as ClinicalType]

function referenceText(value: unknown): string | undefined {
  return isObject(value) && typeof value.reference === 'string' ? value.reference : undefined
}

/** The patient id that owns the resource, or undefined: a type without owner, a subject that is no patient of this tenant. */
export function ownerOf(resource: JsonObject, type: string, id: string, bases: readonly string[]): string | undefined {
  if (type === 'Patient') return id
  const element = subjectElementOf(type)
  const reference = element && referenceText(resource[element])
  const target = reference && localReference(reference, bases)
  return target && target.type === 'Patient' ? target.id : undefined
}

/** The targets of a Provenance that are of an owned type, as distinct `Type/id` (S-8: the other types do not count). */
export function provenanceTargets(resource: JsonObject, bases: readonly string[]): string[] {
  const targets = new Set<string>()
  for (const item of Array.isArray(resource.target) ? resource.target : []) {
    const reference = referenceText(item)
    const target = reference && localReference(reference, bases)
    if (target && ownedTypes.has(target.type)) targets.add(`${target.type}/${target.id}`)
  }
  return [...targets]
}

/**
 * Every Location, Organization and Practitioner that the resource refers to at any depth, as distinct `Type/id` (protocol §4), and the
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
