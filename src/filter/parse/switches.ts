/** The switches of `_typeFilter` in which profiles differ (protocol §12), and what the queries of granular scopes may say. */
export interface TypeFilterSwitches {
  /** D10: `_typeFilter` needs `_type`. */
  readonly requireType: boolean
  /** D11: what a second query of the same type is: an error, or another alternative. */
  readonly sameType: 'error' | 'or'
  /** D12: types that no query may name. */
  readonly deniedTypes: readonly string[]
  /** D13: parameters that no query may use. */
  readonly deniedParams: readonly string[]
  /** D15: commas separate queries. */
  readonly commaSplit: boolean
  /** Only what Oracle documents for a type is supported, with its rules on values (search-params §3). */
  readonly documentedOnly: boolean
}

const resultParams = [
  '_count',
  '_contained',
  '_containedType',
  '_elements',
  '_include',
  '_revinclude',
  '_sort',
  '_summary',
  '_total',
]

/** What Oracle Health Millennium documents: 13 types, 16 excluded names (S-33…S-37; search-params §2). */
export const millenniumSwitches: TypeFilterSwitches = {
  requireType: true,
  sameType: 'error',
  deniedTypes: ['Location', 'Organization', 'Patient', 'Practitioner', 'Provenance'],
  deniedParams: [...resultParams, '_id', '_lastUpdated', 'encounter', 'identifier', 'patient', 'subject', 'date'],
  commaSplit: true,
  documentedOnly: true,
}

/** The HL7 Bulk Data Access IG. A Provenance follows its targets, so it has no filter of its own. */
export const hl7Switches: TypeFilterSwitches = {
  requireType: false,
  sameType: 'or',
  deniedTypes: ['Provenance'],
  deniedParams: resultParams,
  commaSplit: true,
  documentedOnly: false,
}

/** The queries of granular scopes (§10): the same in every profile, and on every type, so that what was granted stays what it is. */
export const scopeSwitches: TypeFilterSwitches = { ...hl7Switches, deniedTypes: [] }
