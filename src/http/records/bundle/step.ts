import type { IdentifierQuery } from '../../../fhir/bundle/identifier-query.ts'
import type { Problem } from '../../../protocol/problem.ts'
import type { Draft, Sketch } from '../../../records/draft.ts'

/** A transaction is done as a whole or not at all; each entry of a batch for itself. */
export type BundleType = 'transaction' | 'batch'

/** What an entry of a Bundle asks for, as far as the entry alone tells: which records are meant is not known yet. */
export type Step = Refused | Read | Delete | Write

interface Common {
  readonly index: number
  readonly fullUrl: string | undefined
}

export interface Refused extends Common {
  readonly kind: 'refused'
  readonly problems: readonly Problem[]
  /** `Type/id` of its URL, where it has one. */
  readonly key: string | undefined
  /** `Type/id` of its resource, where it states one. */
  readonly stated: string | undefined
}

interface Read extends Common {
  readonly kind: 'read'
  readonly type: string
  readonly id: string
}

export interface Delete extends Common {
  readonly kind: 'delete'
  readonly type: string
  readonly target: Target
  readonly ifMatch: number | undefined
}

export interface Write extends Common {
  readonly kind: 'create' | 'update'
  readonly type: string
  readonly target: Target
  /** The text of the resource as it was sent, on one line. */
  readonly source: string
  /** The resource before its references are resolved, with the id that its URL names or that it gets if it is new. */
  readonly draft: Sketch | Draft
  readonly statedId: string | undefined
  /** The conditional references of the resource, by their texts. */
  readonly conditional: ReadonlyMap<string, IdentifierQuery>
  readonly ifMatch: number | undefined
}

/** The record that is meant: by its id, by an identifier, or (of a create) none that exists. */
export type Target =
  | { readonly kind: 'id'; readonly id: string }
  | { readonly kind: 'condition'; readonly query: IdentifierQuery }
  | { readonly kind: 'none' }
