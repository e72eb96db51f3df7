import { allTypes, documentedTypes, isOwnedType, type ResourceType } from '../fhir/resource-types.ts'
import { hl7Switches, millenniumSwitches, type TypeFilterSwitches } from '../filter/parse/switches.ts'

/** The names of the profiles a tenant may have. */
export const profileNames = ['millennium', 'hl7'] as const
export type ProfileName = (typeof profileNames)[number]

/** How far an export follows references to records that come along (O-14). */
export const referenceWalks = ['one-hop', 'transitive'] as const
export type ReferenceWalk = (typeof referenceWalks)[number]

/** Of whom an export is: `Patient/$export`, `Patient/{id}/$export`, `Group/{id}/$export`, `$export`. */
export const exportLevels = ['patient', 'instance', 'group', 'system'] as const
export type ExportLevel = (typeof exportLevels)[number]

/** The switches in which profiles differ (protocol §12). Code asks a switch, never a profile's name. */
export interface Profile {
  /** D1, D4, D5, D36: the methods that start an export of a level. With none the level is not served. */
  readonly kickOffMethods: Readonly<Record<ExportLevel, readonly ('GET' | 'POST')[]>>
  /** D2, D3: `Patient/$export` needs `patient`; otherwise it exports all patients when there is none. */
  readonly patientsRequired: boolean
  /** D6: `Accept`, `Content-Type` and `Prefer` must be there. */
  readonly headersRequired: boolean
  /** D7: an optional parameter may be repeated; values are united. */
  readonly repeatsAllowed: boolean
  /** S-27, D8: the legal values of `_type`, in the order in which files are written. */
  readonly exportedTypes: readonly ResourceType[]
  /** D35: records of every type come along with what refers to them, not only Location, Organization and Practitioner. */
  readonly allReferred: boolean
  /**
   * D37: Attachments that lead to a Binary of this server come out with absolute URLs, and that Binary comes along; read without FHIR JSON being
   * asked for, it is its bytes, with ranges, as far as the caller may read what `securityContext` names.
   */
  readonly attachments: boolean
  /** D9: types that `_type` may not name alone, for they only come along with others. A system export has them all by themselves. */
  readonly dependentTypes: readonly ResourceType[]
  /** D18: `includeAssociatedData` with `_type` needs Provenance in `_type`; otherwise it adds Provenance. */
  readonly provenanceInTypeRequired: boolean
  /** D16: `_elements` */
  readonly elements: boolean
  /** D17: `_until`, `organizeOutputBy`, `allowPartialManifests` and `Prefer: separate-export-status` of IG 3.0.0. */
  readonly stu3: boolean
  /** D20, D20b: status, delete and file requests need the read scopes of all exported types, not only the right client. */
  readonly scopesAlways: boolean
  /** D20c: a Group export needs the read scope of Group. */
  readonly groupScopeRequired: boolean
  /** D22: a file's URL redirects to a signed link; otherwise it answers with the file. */
  readonly fileRedirect: boolean
  /** D25: `X-Progress` tells how far the job is, instead of the word `in-progress`. */
  readonly progressAsText: boolean
  /** D26: `system/*.read` and the like count. */
  readonly wildcardScopes: boolean
  /** D24: manifest entries carry `count`. */
  readonly manifestCounts: boolean
  /** D24: an export with `_since` lists what was deleted. */
  readonly manifestDeleted: boolean
  /** D10…D15: what `_typeFilter` may say. */
  readonly typeFilter: TypeFilterSwitches
  /** O-14: from exported records only, or from referenced records too. A tenant may say so for itself. */
  readonly referenceWalk: ReferenceWalk
  /**
   * The `error` file tells of everything that may be missed: open references of any kind, and records that are nobody's. Otherwise it tells
   * of what the operation promises: a Location, Organization or Practitioner whose reference was never resolved.
   */
  readonly tellsAll: boolean
  /** `_format` in the URL of a kick-off, which FHIR has for every operation, is taken when it is JSON. */
  readonly formatInUrl: boolean
  /** D30: issue codes are the exact ones; otherwise what is wrong with a request is `invalid`. */
  readonly fineCodes: boolean
  /** D34: the CapabilityStatement names the IG's OperationDefinitions, not our own. */
  readonly igDefinitions: boolean
}

/**
 * What Oracle Health Millennium documents. Two things are wider, unless a tenant is strict: wildcard scopes count, and filters may use
 * every R4 search parameter of the 13 types less the 16 names, because the records support them.
 */
const millennium: Profile = {
  kickOffMethods: { patient: ['POST'], instance: [], group: ['GET'], system: [] },
  patientsRequired: true,
  headersRequired: true,
  repeatsAllowed: false,
  exportedTypes: documentedTypes,
  allReferred: false,
  attachments: false,
  dependentTypes: ['Location', 'Organization', 'Practitioner', 'Provenance'],
  provenanceInTypeRequired: true,
  elements: false,
  stu3: false,
  scopesAlways: false,
  groupScopeRequired: false,
  fileRedirect: true,
  progressAsText: false,
  wildcardScopes: true,
  manifestCounts: true,
  manifestDeleted: false,
  typeFilter: { ...millenniumSwitches, documentedOnly: false },
  referenceWalk: 'one-hop',
  tellsAll: false,
  formatInUrl: false,
  fineCodes: false,
  igDefinitions: false,
}

/** The HL7 Bulk Data Access IG, 2.0.0 and 3.0.0. */
const hl7: Profile = {
  kickOffMethods: {
    patient: ['GET', 'POST'],
    instance: ['GET', 'POST'],
    group: ['GET', 'POST'],
    system: ['GET', 'POST'],
  },
  patientsRequired: false,
  headersRequired: false,
  repeatsAllowed: true,
  exportedTypes: allTypes,
  allReferred: true,
  attachments: true,
  dependentTypes: allTypes.filter((type) => !isOwnedType(type)),
  provenanceInTypeRequired: false,
  elements: true,
  stu3: true,
  scopesAlways: true,
  groupScopeRequired: true,
  fileRedirect: false,
  progressAsText: true,
  wildcardScopes: true,
  manifestCounts: true,
  manifestDeleted: true,
  typeFilter: hl7Switches,
  referenceWalk: 'one-hop',
  tellsAll: true,
  formatInUrl: true,
  fineCodes: true,
  igDefinitions: true,
}

export const profiles: Readonly<Record<ProfileName, Profile>> = { millennium, hl7 }

/** Millennium without what is wider: only the 20 documented search parameters with their rules on values, and no wildcard scopes (T-51, T-94…T-98). */
const strictMillennium: Profile = { ...millennium, wildcardScopes: false, typeFilter: millenniumSwitches }

/** What of a tenant decides how it is served. */
export interface ServedTenant {
  readonly profile: ProfileName
  readonly strict: boolean
  readonly referenceWalk: ReferenceWalk
}

/** How a tenant is served; as `millennium` where there is none. Only that profile has a strict form. */
export function servedAs(tenant: ServedTenant | undefined): Profile {
  if (tenant === undefined) return millennium
  const profile = tenant.strict ? strictMillennium : profiles[tenant.profile]
  return { ...profile, referenceWalk: tenant.referenceWalk }
}
