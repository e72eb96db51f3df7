import { type ResourceType, r4Types } from './resource-types.generated.ts'

export type { ResourceType } from './resource-types.generated.ts'

/** What ties the records of a type to patients, by the official definitions. */
export interface R4Type {
  /** Whether its records stand in the Patient compartment by its definition. */
  readonly inCompartment: boolean
  /**
   * The elements by which a record stands in the Patient compartment, as paths such as `participant.actor`. Of a type outside of it those by
   * which a record may be about a patient: its `subject` or `patient`, or else all that may refer to one.
   */
  readonly patients: readonly string[]
  /** Those of them that say whom a record is about, not who took part in it. */
  readonly about: readonly string[]
  /** One of them is always there and refers to patients only. */
  readonly needsPatient: boolean
}

/** The 13 clinical types that Oracle documents: records of one patient, their subject, that `_typeFilter` may narrow (S-28, S-36). */
export const clinicalTypes = [
  'AllergyIntolerance',
  'CarePlan',
  'CareTeam',
  'Condition',
  'Device',
  'DiagnosticReport',
  'DocumentReference',
  'Encounter',
  'Goal',
  'Immunization',
  'MedicationRequest',
  'Observation',
  'Procedure',
] as const

export type ClinicalType = (typeof clinicalTypes)[number]

/** The 18 types that Oracle documents (S-27), in the order in which files are written. */
export const documentedTypes = [
  'Patient',
  ...clinicalTypes,
  'Provenance',
  'Location',
  'Organization',
  'Practitioner',
] as const

/** All R4 types in the order in which files are written: the documented ones, then the others. */
export const allTypes: readonly ResourceType[] = [
  ...new Set<ResourceType>([...documentedTypes, ...(Object.keys(r4Types) as ResourceType[])]),
]

export const isResourceType = (type: string): type is ResourceType => Object.hasOwn(r4Types, type)

const clinical: ReadonlySet<string> = new Set(clinicalTypes)
const bySubject: ReadonlySet<string> = new Set(['Patient', ...clinicalTypes, 'Provenance'])

/** The elements by which a record of these types belongs to patients. */
export const patientElements = (type: string): readonly string[] => (isResourceType(type) ? r4Types[type].patients : [])

/** Types that belong to patients by the elements of the table, not by their subject alone. */
const byCompartment: ReadonlySet<string> = new Set(
  allTypes.filter((type) => patientElements(type).length > 0 && !bySubject.has(type)),
)

const referred: ReadonlySet<string> = new Set(
  allTypes.filter((type) => !r4Types[type].inCompartment || (byCompartment.has(type) && !r4Types[type].needsPatient)),
)

export const isClinicalType = (type: string): type is ClinicalType => clinical.has(type)
export const isCompartmentType = (type: string): boolean => byCompartment.has(type)

/** Whether records of a type may belong to patients. */
export const isOwnedType = (type: string): boolean => bySubject.has(type) || byCompartment.has(type)

/** Whether a Provenance belongs to the patients whose records of a type it is about. */
export const isTargetType = (type: string): boolean => type !== 'Provenance' && isOwnedType(type)

/** Whether each record of a type belongs to a patient: one that does not refers to somebody who is not known. */
export const needsPatient = (type: ResourceType): boolean =>
  (clinical.has(type) && type !== 'Device') || (byCompartment.has(type) && r4Types[type].needsPatient)

/** See `R4Type.inCompartment`. */
export const isInCompartment = (type: string): boolean => isResourceType(type) && r4Types[type].inCompartment

/** See `R4Type.about`. */
export const elementsAbout = (type: string): readonly string[] => (isResourceType(type) ? r4Types[type].about : [])

/**
 * Types of which records that are nobody's come along with those that refer to them: all that need no patient. The clinical ones are missed
 * where they have none, but Device, which is not in the Patient compartment by its definition.
 */
export const isReferredType = (type: string): boolean => referred.has(type)
