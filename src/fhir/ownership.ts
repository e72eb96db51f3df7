import { isObject, type JsonObject } from './json/json-object.ts'
import { isOpen, notedReference, readOpen } from './open-reference.ts'
import { localReference } from './reference.ts'
import {
  type ClinicalType,
  elementsAbout,
  isClinicalType,
  isCompartmentType,
  isInCompartment,
  isTargetType,
  patientElements,
} from './resource-types.ts'

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

/** The patients that a record of a type outside of the Patient compartment may belong to: it comes along with what refers to it, as far as it is nobody's. */
export const ownersOutsideMax = 1

/** Whether these are more owners than a record of a type may have that is so long. One patient's it may always be. */
export function isCrowd(type: string, owners: number, textBytes: number): boolean {
  const most = isInCompartment(type) ? ownersMax : ownersOutsideMax
  return owners > 1 && (owners > most || owners * textBytes > ownedBytesMax)
}

/** See `subjectElement`; undefined for types that belong to nobody, or to patients in another way. */
export const subjectElementOf = (type: string): 'patient' | 'subject' | undefined =>
  isClinicalType(type) ? subjectElement[type] : undefined

function referenceText(value: unknown): string | undefined {
  return isObject(value) && typeof value.reference === 'string' ? value.reference : undefined
}

/** Whose a record is. */
export interface Belonging {
  /** In order; `['']` for nobody. */
  readonly owners: readonly string[]
  /** It is about somebody who is no patient that is known here, or whose kind cannot be told, and is nobody's. */
  readonly isStrangers: boolean
}

export const nobody: readonly string[] = ['']

/**
 * The ids of the patients that the resource belongs to: those whose compartment it stands in, or whom it is about, and of the documented types the
 * subject. Nobody owns a type without owners, and one of patients that are not of this tenant. A Provenance belongs to those who own its
 * targets, which is not asked here, and neither is whether they are a crowd. Other rules than these are for new records only: a migration then
 * lists all tenants in `outdated_tenant`, and `records/rules` puts what they have under them.
 */
export function belonging(resource: JsonObject, type: string, id: string, bases: readonly string[]): Belonging {
  if (type === 'Patient') return { owners: [id], isStrangers: false }
  const patients = new Set<string>()
  let isStrangers = false
  for (const [path, value] of ownerElements(resource, type)) {
    const reference = referenceText(value)
    const target = reference === undefined ? undefined : localReference(reference, bases)
    if (target?.type === 'Patient') patients.add(target.id)
    isStrangers ||= target === undefined && isStranger(value, isAbout(type, path), bases)
  }
  return patients.size === 0 ? { owners: nobody, isStrangers } : { owners: [...patients].sort(), isStrangers: false }
}

/** The elements by which a record may belong to patients, with their paths. A list of subjects is none. */
function* ownerElements(resource: JsonObject, type: string): Generator<readonly [string, unknown]> {
  const subject = subjectElementOf(type)
  if (subject !== undefined) yield [subject, resource[subject]]
  const paths = isCompartmentType(type) ? patientElements(type) : []
  for (const path of paths) for (const value of valuesAt(resource, path.split('.'), 0)) yield [path, value]
}

const isAbout = (type: string, path: string): boolean =>
  path === subjectElementOf(type) || elementsAbout(type).includes(path)

/** Whether a value that leads to no record here stands for a patient; where its kind cannot be told, that depends on the element. */
function isStranger(value: unknown, isAbout: boolean, bases: readonly string[]): boolean {
  if (value === undefined) return false
  const type = typeElsewhere(referenceText(value), bases) ?? statedType(value)
  return type === undefined ? isAbout : type === 'Patient'
}

/** The type of an open reference, as far as its text says it. */
function typeElsewhere(reference: string | undefined, bases: readonly string[]): string | undefined {
  const entry = reference === undefined ? undefined : notedReference(reference, bases)
  return entry !== undefined && isOpen(entry) ? readOpen(entry).type : undefined
}

/** What `Reference.type` says. */
const statedType = (value: unknown): string | undefined =>
  isObject(value) && typeof value.type === 'string' ? value.type : undefined

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
