import { patientsMax } from './limits.ts'

/** One parameter of `Patient/$export` as it is documented and as it is checked (S-21…S-48). */
export interface ExportParameter {
  readonly name: string
  /** The member of a Parameters entry that carries the value. */
  readonly valueName: string
  readonly fhirType: string
  readonly min: number
  readonly max: number
  readonly documentation: string
}

/** The parameters that have effect. Requests are checked against this table, and the OperationDefinition lists it. */
export const exportParameters: readonly ExportParameter[] = [
  {
    name: 'patient',
    valueName: 'valueReference',
    fhirType: 'Reference',
    min: 1,
    max: patientsMax,
    documentation: 'A patient whose records are exported: Patient/{id}.',
  },
  {
    name: '_type',
    valueName: 'valueString',
    fhirType: 'string',
    min: 0,
    max: 1,
    documentation: 'Comma-delimited resource types. Without it: every type that the token may read.',
  },
  {
    name: '_typeFilter',
    valueName: 'valueString',
    fhirType: 'string',
    min: 0,
    max: 1,
    documentation:
      'Comma-delimited FHIR queries, such as Condition?clinical-status=active; one for each type of _type.',
  },
  {
    name: 'includeAssociatedData',
    valueName: 'valueCode',
    fhirType: 'code',
    min: 0,
    max: 1,
    documentation: 'LatestProvenanceResources or RelevantProvenanceResources.',
  },
  {
    name: '_since',
    valueName: 'valueInstant',
    fhirType: 'instant',
    min: 0,
    max: 1,
    documentation: 'Only records that changed after this instant.',
  },
  {
    name: '_outputFormat',
    valueName: 'valueString',
    fhirType: 'string',
    min: 0,
    max: 1,
    documentation: 'application/fhir+ndjson (default), application/ndjson or ndjson.',
  },
]
