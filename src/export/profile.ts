import { hl7Switches, millenniumSwitches, type TypeFilterSwitches } from '../filter/switches.ts'

/** The names of the profiles a tenant may have. */
export const profileNames = ['millennium', 'hl7'] as const
export type ProfileName = (typeof profileNames)[number]

/** How far an export follows references to Location, Organization and Practitioner (O-14). */
export const referenceWalks = ['one-hop', 'transitive'] as const
export type ReferenceWalk = (typeof referenceWalks)[number]

/** The switches in which profiles differ (protocol §12). Code asks a switch, never a profile's name. */
export interface Profile {
  /** D6: `Accept`, `Content-Type` and `Prefer` must be there. */
  readonly headersRequired: boolean
  /** D7: an optional parameter may be repeated; values are united. */
  readonly repeatsAllowed: boolean
  /** D9: Location, Organization, Practitioner or Provenance need one of the 14 other types beside them. */
  readonly anchorRequired: boolean
  /** D18: `includeAssociatedData` with `_type` needs Provenance in `_type`. */
  readonly provenanceInTypeRequired: boolean
  /** D25: `X-Progress` tells how far the job is, instead of the word `in-progress`. */
  readonly progressAsText: boolean
  /** D26: `system/*.read` and the like count. */
  readonly wildcardScopes: boolean
  /** D24: manifest entries carry `count`. */
  readonly manifestCounts: boolean
  /** D10…D15: what `_typeFilter` may say. */
  readonly typeFilter: TypeFilterSwitches
  /** O-14: from exported records only, or from referenced records too. A tenant may say so for itself. */
  readonly referenceWalk: ReferenceWalk
  /** D30: issue codes are the exact ones; otherwise what is wrong with a request is `invalid`. */
  readonly fineCodes: boolean
}

/**
 * What Oracle Health Millennium documents. Two things are wider, unless a tenant is strict: wildcard scopes count, and filters may use
 * every R4 search parameter of the 13 types less the 16 names, because the records support them.
 */
const millennium: Profile = {
  headersRequired: true,
  repeatsAllowed: false,
  anchorRequired: true,
  provenanceInTypeRequired: true,
  progressAsText: false,
  wildcardScopes: true,
  manifestCounts: true,
  typeFilter: { ...millenniumSwitches, documentedOnly: false },
  referenceWalk: 'one-hop',
  fineCodes: false,
}

/** The HL7 Bulk Data Access IG. */
const hl7: Profile = {
  headersRequired: false,
  repeatsAllowed: true,
  anchorRequired: false,
  provenanceInTypeRequired: false,
  progressAsText: true,
  wildcardScopes: true,
  manifestCounts: true,
  typeFilter: hl7Switches,
  referenceWalk: 'one-hop',
  fineCodes: true,
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
