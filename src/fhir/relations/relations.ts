import { hasConditionalReference } from '../bundle/conditional-reference.ts'
import type { JsonObject } from '../json/json-object.ts'
import { somebody } from '../open-reference.ts'
import { type Belonging, belonging, provenanceTargets, referencedRecords } from '../ownership.ts'

/** What the references of a resource mean, so far as it can be told without looking at others. */
export interface Relations {
  /** However many, in order, `['']` when the record belongs to nobody; undefined for a Provenance, whose owners are those of its targets. */
  readonly owners: readonly string[] | undefined
  /** Provenance: distinct `Type/id` of types with owners. */
  readonly targets: readonly string[]
  /** Distinct `Type/id` of records that may come along, and marks of open references. */
  readonly refs: readonly string[]
  /** Whether it names another record by a query, at any depth. */
  readonly conditional: boolean
}

/** The relations of a parsed resource. */
export function relationsOf(resource: JsonObject, type: string, id: string, bases: readonly string[]): Relations {
  const isProvenance = type === 'Provenance'
  return relationsBy(isProvenance ? undefined : belonging(resource, type, id, bases), {
    targets: isProvenance ? provenanceTargets(resource, bases) : [],
    refs: referencedRecords(resource, bases),
    conditional: hasConditionalReference(resource),
  })
}

/** @param belonging undefined for a Provenance */
export const relationsBy = (belonging: Belonging | undefined, others: Omit<Relations, 'owners'>): Relations => ({
  ...others,
  owners: belonging?.owners,
  refs: belonging?.isStrangers ? [...others.refs, somebody.stranger] : others.refs,
})
