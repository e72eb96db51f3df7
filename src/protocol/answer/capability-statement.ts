import { supportedParameters } from '../../filter/supported.ts'
import type { ExportLevel, Profile } from '../profile.ts'
import { type ExportOperation, igDefinition, operationOf, servedLevels } from './operation-definition.ts'

/** Where the things that a CapabilityStatement names are found. */
export interface CapabilityUrls {
  /** The tenant's FHIR base. */
  readonly base: string
  readonly tokenEndpoint: string
  /** Where our own OperationDefinition of an export stands. */
  readonly definition: (operation: ExportOperation) => string
}

const trailScope = 'Needs the scope system/AuditEvent.read by this name; wildcards do not cover it.'

/** The audit trail of the tenant: its entries are made by the server. Where AuditEvents are exported, those are meant that were loaded. */
const auditTrail = (profile: Profile): object => ({
  type: 'AuditEvent',
  documentation: profile.exportedTypes.includes('AuditEvent')
    ? `What was done in the tenant; it is searched by date. Exports have the AuditEvents that were loaded as records. ${trailScope}`
    : `What was done in the tenant. ${trailScope}`,
  interaction: ['read', 'search-type'].map((code) => ({ code })),
  versioning: 'no-version',
  ...(profile.exportedTypes.includes('AuditEvent')
    ? searchParamsOf('AuditEvent', profile)
    : { searchParam: [{ name: 'date', type: 'date' }] }),
})

/** A type of R4 that is stored, and that no export has; the IG writes the URL of the extension in two ways. */
const parametersAlone = {
  extension: ['Extension', 'StructureDefinition'].map((kind) => ({
    url: `http://hl7.org/fhir/uv/bulkdata/${kind}/operation-not-supported`,
    valueCanonical: 'http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data',
  })),
  type: 'Parameters',
}

/** The interactions that every other resource type has. Search is not among them. */
const served = {
  interaction: ['read', 'vread', 'create', 'update', 'delete'].map((code) => ({ code })),
  versioning: 'versioned-update',
  conditionalCreate: true,
  conditionalUpdate: true,
  conditionalDelete: 'single',
}

/** What the server can do for a tenant (protocol §9, C1…C3, C5): no more and no less. `date` is an R4 instant. */
export function capabilityStatement(urls: CapabilityUrls, profile: Profile, version: string, date: string): object {
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date,
    kind: 'instance',
    instantiates: ['http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data'],
    software: { name: 'Millrace', version },
    implementation: { description: 'Millrace, a FHIR R4 bulk export server', url: urls.base },
    fhirVersion: '4.0.1',
    format: ['application/fhir+json', 'json'],
    rest: [
      {
        mode: 'server',
        security: security(urls),
        resource: [
          ...typesOf(profile).map((type) => ({
            type,
            ...served,
            ...operationOn(type, urls, profile),
            ...searchParamsOf(type, profile),
          })),
          auditTrail(profile),
          ...(profile.igDefinitions ? [{ ...parametersAlone, ...served }] : []),
        ],
        interaction: [{ code: 'transaction' }, { code: 'batch' }],
        ...operationOn(undefined, urls, profile),
      },
    ],
  }
}

/** The types of exports, and Group, whose members are exported. */
const typesOf = ({ exportedTypes }: Profile): string[] =>
  [...new Set<string>([...exportedTypes, 'Group'])].filter((type) => type !== 'AuditEvent')

/** C3: the parameters that `_typeFilter` may use; of a type that is not exported, those that all have. */
function searchParamsOf(type: string, { typeFilter, exportedTypes }: Profile): object {
  const isExported = exportedTypes.some((exported) => exported === type)
  const parameters = supportedParameters(isExported ? type : '', typeFilter)
  return parameters.length === 0 ? {} : { searchParam: parameters.map(({ code, type }) => ({ name: code, type })) }
}

const ofOnePatient =
  'Patient/{id}/$export is served too: an export of this patient, with the same parameters but patient.'

/** The export that is served on a resource type, or on the whole system (C5, D34). */
function operationOn(type: string | undefined, { definition }: CapabilityUrls, profile: Profile): object {
  const level: Exclude<ExportLevel, 'instance'> | undefined =
    type === undefined ? 'system' : type === 'Patient' ? 'patient' : type === 'Group' ? 'group' : undefined
  if (level === undefined || !servedLevels(profile).includes(level)) return {}
  const operation = operationOf(level)
  const isServedForOne = level === 'patient' && servedLevels(profile).includes('instance')
  return {
    operation: [
      {
        name: 'export',
        definition: profile.igDefinitions ? igDefinition(operation) : definition(operation),
        ...(isServedForOne ? { documentation: ofOnePatient } : {}),
      },
    ],
  }
}

function security({ tokenEndpoint }: CapabilityUrls): object {
  return {
    cors: true,
    service: [
      {
        coding: [
          {
            system: 'http://terminology.hl7.org/CodeSystem/restful-security-service',
            code: 'SMART-on-FHIR',
          },
        ],
      },
    ],
    extension: [
      {
        url: 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris',
        extension: [{ url: 'token', valueUri: tokenEndpoint }],
      },
    ],
  }
}
