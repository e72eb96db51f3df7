import { patientsMax } from '../limits.ts'
import type { ExportLevel, Profile } from '../profile.ts'

/** One parameter of `$export` as it is documented and as it is checked (S-21…S-48; protocol §11.3). */
export interface ExportParameter {
  readonly name: string
  /** The member of a Parameters entry that carries the value. */
  readonly valueName: string
  readonly fhirType: string
  readonly min: number
  readonly max: number | '*'
  readonly documentation: string
}

/** A row of the table below. */
interface Row extends Omit<ExportParameter, 'min' | 'max'> {
  /** It is a list: where the profile allows, it may be repeated (D7). */
  readonly list?: true
  /** Only profiles with this switch have it. */
  readonly switch?: 'elements' | 'stu3'
}

const rows: readonly Row[] = [
  {
    name: 'patient',
    valueName: 'valueReference',
    fhirType: 'Reference',
    documentation: 'A patient whose records are exported: Patient/{id}.',
  },
  {
    name: '_type',
    valueName: 'valueString',
    fhirType: 'string',
    list: true,
    documentation: 'Comma-delimited resource types. Without it: every type that the token may read.',
  },
  {
    name: '_typeFilter',
    valueName: 'valueString',
    fhirType: 'string',
    list: true,
    documentation:
      'Comma-delimited FHIR queries, such as Condition?clinical-status=active; one for each type of _type.',
  },
  {
    name: 'includeAssociatedData',
    valueName: 'valueCode',
    fhirType: 'code',
    list: true,
    documentation: 'LatestProvenanceResources or RelevantProvenanceResources.',
  },
  {
    name: '_since',
    valueName: 'valueInstant',
    fhirType: 'instant',
    documentation: 'Only records that changed after this instant.',
  },
  {
    name: '_until',
    valueName: 'valueInstant',
    fhirType: 'instant',
    switch: 'stu3',
    documentation: 'Only records that changed before this instant.',
  },
  {
    name: '_elements',
    valueName: 'valueString',
    fhirType: 'string',
    list: true,
    switch: 'elements',
    documentation:
      'Comma-delimited root elements, such as Patient.name or subject. Mandatory elements and modifiers stay; records are tagged SUBSETTED.',
  },
  {
    name: 'organizeOutputBy',
    valueName: 'valueString',
    fhirType: 'string',
    switch: 'stu3',
    documentation: 'Patient: the files hold one block of records for each patient.',
  },
  {
    name: 'allowPartialManifests',
    valueName: 'valueBoolean',
    fhirType: 'boolean',
    switch: 'stu3',
    documentation: 'A manifest with many files may be divided into several, linked by next.',
  },
  {
    name: '_outputFormat',
    valueName: 'valueString',
    fhirType: 'string',
    documentation: 'application/fhir+ndjson (default), application/ndjson or ndjson.',
  },
]

/** The member that carries the value of a parameter, whoever supports it. */
export const valueNameOf = (name: string): string | undefined => rows.find((row) => row.name === name)?.valueName

/** The parameters that have effect at a level. Requests are checked against them, and OperationDefinitions list them. */
export function exportParameters(profile: Profile, level: ExportLevel): ExportParameter[] {
  return rows
    .filter((row) => row.switch === undefined || profile[row.switch])
    .filter(({ name }) => name !== 'patient' || takesPatients(profile, level))
    .map(({ list, switch: _, ...row }) => {
      if (row.name === 'patient') return { ...row, min: profile.patientsRequired ? 1 : 0, max: patientsMax }
      return { ...row, min: 0, max: list && profile.repeatsAllowed ? '*' : 1 }
    })
}

/** A list of patients comes in a body (protocol §11.3), and says nothing to an export of one patient or of the system. */
const takesPatients = ({ kickOffMethods }: Profile, level: ExportLevel): boolean =>
  (level === 'patient' || level === 'group') && kickOffMethods[level].includes('POST')
