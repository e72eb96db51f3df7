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

/** The parameters that have effect. The request is checked against this table, and the OperationDefinition lists it. */
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

/** The OperationDefinition of `POST Patient/$export` (S-2, D34). `url` is where it is served. */
export function patientExportDefinition(url: string): object {
  return {
    resourceType: 'OperationDefinition',
    id: 'patient-export',
    url,
    name: 'PatientExport',
    title: 'Bulk export of the records of chosen patients',
    status: 'active',
    kind: 'operation',
    affectsState: false,
    base: 'http://hl7.org/fhir/uv/bulkdata/OperationDefinition/patient-export',
    code: 'export',
    resource: ['Patient'],
    system: false,
    type: true,
    instance: false,
    parameter: exportParameters.map(({ name, fhirType, min, max, documentation }) => ({
      name,
      use: 'in',
      min,
      max: String(max),
      documentation,
      type: fhirType,
    })),
  }
}
