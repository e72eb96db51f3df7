import { exportParameters } from './export-parameter.ts'

/** The operations that have a definition. */
export const exportOperations = ['patient-export', 'group-export'] as const
export type ExportOperation = (typeof exportOperations)[number]

/** What sets the two operations apart: a Group says which patients, so it takes no `patient`. */
const about = {
  'patient-export': {
    name: 'PatientExport',
    title: 'Bulk export of the records of chosen patients',
    resource: 'Patient',
  },
  'group-export': {
    name: 'GroupExport',
    title: 'Bulk export of the records of the members of a Group',
    resource: 'Group',
  },
} as const

/** The OperationDefinition of `POST Patient/$export` or `GET Group/{id}/$export` (S-2, D34). `url` is where it is served. */
export function operationDefinition(operation: ExportOperation, url: string): object {
  const { name, title, resource } = about[operation]
  const ofGroup = operation === 'group-export'
  return {
    resourceType: 'OperationDefinition',
    id: operation,
    url,
    name,
    title,
    status: 'active',
    kind: 'operation',
    affectsState: false,
    base: `http://hl7.org/fhir/uv/bulkdata/OperationDefinition/${operation}`,
    code: 'export',
    resource: [resource],
    system: false,
    type: !ofGroup,
    instance: ofGroup,
    parameter: exportParameters
      .filter((parameter) => !(ofGroup && parameter.name === 'patient'))
      .map((parameter) => ({
        name: parameter.name,
        use: 'in',
        min: parameter.min,
        max: String(parameter.max),
        documentation: parameter.documentation,
        type: parameter.fhirType,
      })),
  }
}
