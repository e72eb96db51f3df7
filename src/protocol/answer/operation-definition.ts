import { type ExportLevel, exportLevels, type Profile } from '../profile.ts'
import { exportParameters } from '../request/export-parameter.ts'

/** The operations that have a definition. */
export const exportOperations = ['patient-export', 'group-export', 'export'] as const
export type ExportOperation = (typeof exportOperations)[number]

/** What sets the operations apart. */
const about = {
  'patient-export': {
    level: 'patient',
    name: 'PatientExport',
    title: 'Bulk export of the records of patients',
    resource: ['Patient'],
  },
  'group-export': {
    level: 'group',
    name: 'GroupExport',
    title: 'Bulk export of the records of the members of a Group',
    resource: ['Group'],
  },
  export: { level: 'system', name: 'SystemExport', title: 'Bulk export of all records', resource: [] },
} as const

/** The operation that starts an export of a level; that of one patient is the one of patients. */
export const operationOf = (level: Exclude<ExportLevel, 'instance'>): ExportOperation =>
  exportOperations.find((operation) => about[operation].level === level)!

/** The canonical URL of the IG's definition of an operation. */
export const igDefinition = (operation: ExportOperation): string =>
  `http://hl7.org/fhir/uv/bulkdata/OperationDefinition/${operation}`

/** The levels that a profile serves. */
export const servedLevels = ({ kickOffMethods }: Profile): ExportLevel[] =>
  exportLevels.filter((level) => kickOffMethods[level].length > 0)

/** The OperationDefinition of an export as a profile serves it (S-2, D34), undefined if it does not. `url` is where it is served. */
export function operationDefinition(operation: ExportOperation, url: string, profile: Profile): object | undefined {
  const { level, name, title, resource } = about[operation]
  if (!servedLevels(profile).includes(level)) return undefined
  return {
    resourceType: 'OperationDefinition',
    id: operation,
    url,
    name,
    title,
    status: 'active',
    kind: 'operation',
    affectsState: false,
    base: igDefinition(operation),
    code: 'export',
    ...(resource.length > 0 ? { resource } : {}),
    system: level === 'system',
    type: level === 'patient',
    instance: level === 'group' || (level === 'patient' && servedLevels(profile).includes('instance')),
    parameter: exportParameters(profile, level).map((parameter) => ({
      name: parameter.name,
      use: 'in',
      min: parameter.min,
      max: String(parameter.max),
      documentation: parameter.documentation,
      type: parameter.fhirType,
    })),
  }
}
