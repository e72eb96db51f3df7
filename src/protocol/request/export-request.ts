import type { Issue } from '../../fhir/operation-outcome.ts'
import type { ResourceType } from '../../fhir/resource-types.ts'
import type { Query } from '../../filter/query.ts'
import type { WantedElements } from './output-values.ts'

/** The effective request: what will be exported, with every default applied. */
export interface ExportRequest {
  /** Distinct patient ids in the order of the request. */
  readonly patients: readonly string[]
  /** In place of the listed patients: all patients, or everything with what belongs to no patient. */
  readonly reach?: 'patients' | 'system'
  readonly types: readonly ResourceType[]
  /** Only records whose meta.lastUpdated is later; milliseconds since 1970. */
  readonly since?: number
  /** Only records whose meta.lastUpdated is earlier; milliseconds since 1970. */
  readonly until?: number
  /** Types of which what was deleted after `since` is told, as Bundles. */
  readonly deletions?: readonly ResourceType[]
  /** Records have these elements only. */
  readonly elements?: WantedElements
  /** Files hold a block for each patient, not one type each. */
  readonly organizedBy?: 'Patient'
  /** The manifest may be divided into several. */
  readonly partialManifests?: true
  /** `Prefer: separate-export-status`: the status of the export is told beside that of the request for it. */
  readonly separateStatus?: true
  /** What narrows a type; one that has no entry is exported whole. */
  readonly filters: Filters
  /** The tenant's FHIR base: absolute references under it are local. */
  readonly base: string
  /** Which Provenances of an exported record come along (protocol §3). */
  readonly provenance: 'relevant' | 'latest'
  /** O-14: referenced records of referenced records come along too. */
  readonly referenceWalk?: 'transitive'
  /** Records of every type may come along with what refers to them, not of those only that Oracle documents. */
  readonly allReferred?: true
  /** URLs of Attachments that lead to a Binary under `base` come out absolute. */
  readonly absoluteUrls?: true
  /** Where Binaries are exported, and the token may not read all that decides who may read them. */
  readonly contexts?: BinaryContexts
  /** The `error` file tells of every kind of open reference, not only of those that the operation promises to resolve. */
  readonly tellsAll?: true
  /** It tells of how many records the tenant has of these types, whoever they are of: an export without `_type`, and the token has no scope for them. */
  readonly unreadable?: readonly ResourceType[]
  /** It tells of how many records there are of types that no export has. */
  readonly tellsUnexported?: true
  /** It tells of records too that are of a type that belongs to patients, and are nobody's. */
  readonly tellsOwnerless?: true
  /** `Prefer: handling=lenient` was given. */
  readonly lenient: boolean
  /** What lenient handling ignored, for the `error` file. */
  readonly warnings: readonly Issue[]
}

/**
 * What narrows the types of an export. A type has lists of queries, and a record must meet one query of each list: those of the
 * request's `_typeFilter`, and those of the token's granular scopes. A type without any list has no entry.
 */
export type Filters = Readonly<Record<string, readonly (readonly Query[])[]>>

/** What of other types the token may not read, and so no Binary whose `securityContext` it is: whatever the export has of them. */
export interface BinaryContexts {
  /** Types of which it may read nothing. */
  readonly closed: readonly ResourceType[]
  /** Types of which it may read what meets one of the queries of granular scopes. */
  readonly narrowed: Readonly<Record<string, readonly Query[]>>
}
