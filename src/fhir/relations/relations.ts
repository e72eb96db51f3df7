import { hasConditionalReference } from '../bundle/conditional-reference.ts'
import type { JsonObject } from '../json/json-object.ts'
import { ownerOf, provenanceTargets, referencedRecords } from '../ownership.ts'

/** What the references of a resource mean, so far as it can be told without looking at others. */
export interface Relations {
  /** '' when the record belongs to nobody; undefined for a Provenance, whose owners are those of its targets. */
  readonly owner: string | undefined
  /** Provenance: distinct `Type/id` of owned types. */
  readonly targets: readonly string[]
  /** Distinct `Type/id` of Location, Organization and Practitioner, and marks of open references. */
  readonly refs: readonly string[]
  /** Whether it names another record by a query, at any depth. */
  readonly conditional: boolean
}

/** The relations of a parsed resource. */
export function relationsOf(resource: JsonObject, type: string, id: string, bases: readonly string[]): Relations {
  const isProvenance = type === 'Provenance'
  return {
    owner: isProvenance ? undefined : (ownerOf(resource, type, id, bases) ?? ''),
    targets: isProvenance ? provenanceTargets(resource, bases) : [],
    refs: referencedRecords(resource, bases),
    conditional: hasConditionalReference(resource),
  }
}
