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

/** The audit trail of the tenant: its entries are made by the server. */
const auditTrail = {
  type: 'AuditEvent',
  documentation:
    'What was done in the tenant. Needs the scope system/AuditEvent.read by this name; wildcards do not cover it.',
  interaction: ['read', 'search-type'].map((code) => ({ code })),
  versioning: 'no-version',
  searchParam: [{ name: 'date', type: 'date' }],
}

/** The interactions that every other resource type has. Search is not among them. */
const interactions = ['read', 'vread', 'create', 'update', 'delete'].map((code) => ({ code }))

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
            interaction: interactions,
            versioning: 'versioned-update',
            conditionalCreate: true,
            conditionalUpdate: true,
            conditionalDelete: 'single',
            ...operationOn(type, urls, profile),
            ...searchParamsOf(type, profile),
          })),
          auditTrail,
        ],
        interaction: [{ code: 'transaction' }, { code: 'batch' }],
        ...operationOn(undefined, urls, profile),
      },
    ],
  }
}

/** The types of exports, and Group, whose members are exported. */
const typesOf = ({ exportedTypes }: Profile): string[] =>
  [...new Set<string>([...exportedTypes, 'Group'])].filter((type) => type !== auditTrail.type)

/** C3: the parameters that `_typeFilter` may use. */
function searchParamsOf(type: string, { typeFilter }: Profile): object {
  const parameters = supportedParameters(type, typeFilter)
  return parameters.length === 0 ? {} : { searchParam: parameters.map(({ code, type }) => ({ name: code, type })) }
}

/** The export that is served on a resource type, or on the whole system (C5, D34). */
function operationOn(type: string | undefined, { definition }: CapabilityUrls, profile: Profile): object {
  const level: Exclude<ExportLevel, 'instance'> | undefined =
    type === undefined ? 'system' : type === 'Patient' ? 'patient' : type === 'Group' ? 'group' : undefined
  if (level === undefined || !servedLevels(profile).includes(level)) return {}
  const operation = operationOf(level)
  return {
    operation: [
      { name: 'export', definition: profile.igDefinitions ? igDefinition(operation) : definition(operation) },
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
