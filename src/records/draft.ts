import { ownerOf, provenanceTargets, referencedRecords } from '../fhir/ownership.ts'
import { digestOf, type ResourceText, readResourceText, type TextFault } from '../fhir/resource-text.ts'

/** A record on its way into the store: everything that can be known of it without looking at the store. */
export interface Draft {
  readonly text: ResourceText
  readonly type: string
  readonly id: string
  /** The id that the source states, if any; `id` may be another one that the server gave. */
  readonly statedId: unknown
  /** '' when the record belongs to nobody; undefined for a Provenance, whose owners are those of its targets. */
  readonly owner: string | undefined
  /** Provenance: distinct `Type/id` of owned types. */
  readonly targets: readonly string[]
  readonly refs: readonly string[]
  readonly digest: Buffer
}

/** The longest text of one record, in bytes of UTF-8. */
export const recordBytesMax = 16 * 1024 * 1024

/**
 * Reads one resource into a draft.
 * @param bases the tenant's own FHIR bases: absolute references under them are local
 * @param assignedId see `readResourceText`
 */
export function draftOf(source: string, bases: readonly string[], assignedId?: string): Draft | TextFault {
  const read = readResourceText(source, assignedId)
  if ('fault' in read) return read
  const { type, id, resource, text } = read
  const isProvenance = type === 'Provenance'
  return {
    text,
    type,
    id,
    statedId: resource.id,
    owner: isProvenance ? undefined : (ownerOf(resource, type, id, bases) ?? ''),
    targets: isProvenance ? provenanceTargets(resource, bases) : [],
    refs: referencedRecords(resource, bases),
    digest: digestOf(text),
  }
}
