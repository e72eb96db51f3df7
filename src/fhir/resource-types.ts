/** The 13 clinical types of the operation: records of one patient that `_typeFilter` may narrow (S-28, S-36). */
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

/** Types that are exported because exported records refer to them; they have no owner. */
export const referenceTypes = ['Location', 'Organization', 'Practitioner'] as const

/** The 18 legal values of `_type` (S-27), in the order in which files are written. */
export const exportableTypes = ['Patient', ...clinicalTypes, 'Provenance', ...referenceTypes] as const

export type ClinicalType = (typeof clinicalTypes)[number]
export type ReferenceType = (typeof referenceTypes)[number]
export type ExportableType = (typeof exportableTypes)[number]

const exportable: ReadonlySet<string> = new Set(exportableTypes)
const clinical: ReadonlySet<string> = new Set(clinicalTypes)
const reference: ReadonlySet<string> = new Set(referenceTypes)

export const isExportableType = (type: string): type is ExportableType => exportable.has(type)
export const isClinicalType = (type: string): type is ClinicalType => clinical.has(type)
export const isReferenceType = (type: string): type is ReferenceType => reference.has(type)
