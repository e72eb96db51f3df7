import { statedLastUpdated } from '../../fhir/resource-text.ts'
import { type Current, type Key, keyOf, Overtaken } from '../current.ts'
import type { Draft } from '../draft.ts'

/** One change of the store. */
export type Change = Put | (Conditions & { readonly kind: 'delete'; readonly key: Key })

export interface Put extends Conditions {
  readonly kind: 'put'
  readonly draft: Draft
  /** It may create the record or find it unchanged, but not change it: whoever has this id already is another one. */
  readonly onlyNew?: true
  /** The same version once more, which must be current still: for other owners and references, nothing of it changes for readers. */
  readonly again?: number
  /** Its id was given just now, at random: it is not looked for. If it is there all the same, the write begins again and looks. */
  readonly isFresh?: true
}

interface Conditions {
  /** The version that must be current (FHIR If-Match). */
  readonly ifMatch?: number
  /**
   * The version that a look-up in the same transaction saw, 0 for no record. When it is another one by now the write begins again, with
   * its look-ups.
   */
  readonly seen?: number
}

/**
 * What became of a change. Nothing was written for it where it is a `conflict`, `ifMatch` is not the current version, where it
 * `exists`, another record has the id of one that may only be new, and where it is `older` than the current version by the times of
 * its source.
 */
export interface Outcome {
  readonly kind: 'created' | 'updated' | 'unchanged' | 'deleted' | 'absent' | 'conflict' | 'exists' | 'older'
  /** The record's current version afterwards; 0 when there is none. */
  readonly version: number
  /** Milliseconds since 1970; undefined when nothing was written. What is unchanged is written when it is placed once more. */
  readonly lastUpdated?: number
}

/** What gives new versions their times. */
export interface WriteTimes {
  /** From when they are valid, milliseconds since 1970. */
  readonly written: number
  /** The source's `meta.lastUpdated` is kept where it states one, and then an older version never replaces a newer one. */
  readonly keepLastUpdated: boolean
}

/** Whether an outcome refuses its change, and with it a write that is all or nothing. */
export const isRefused = ({ kind }: Outcome): boolean => kind === 'conflict' || kind === 'exists'

export const keyOfChange = (change: Change): Key => (change.kind === 'put' ? change.draft : change.key)

/** Whether nobody can have the id of a change yet. */
export const isFresh = (change: Change): boolean => change.kind === 'put' && change.isFresh === true

/** `Type/id` */
export const keyTextOf = (change: Change): string => (change.kind === 'put' ? change.draft.key : keyOf(change.key))

/**
 * What will become of a change, if `current` is the current version of its record until then.
 * @throws Overtaken when that is not the version that was seen
 */
export function outcomeOf(change: Change, current: Current | undefined, times: WriteTimes): Outcome {
  const version = current?.version ?? 0
  const exists = current !== undefined && !current.deleted
  if (change.seen !== undefined && change.seen !== (exists ? version : 0)) throw new Overtaken()
  if (change.kind === 'put' && change.again !== undefined) {
    const stands = exists && version === change.again
    return stands ? { kind: 'unchanged', version, lastUpdated: current.updated.getTime() } : { kind: 'absent', version }
  }
  if (change.ifMatch !== undefined && (!exists || change.ifMatch !== version)) return { kind: 'conflict', version }
  if (change.kind === 'delete') {
    return exists ? { kind: 'deleted', version: version + 1, lastUpdated: times.written } : { kind: 'absent', version }
  }
  const stated = keptLastUpdated(change.draft, times)
  const lastUpdated = stated ?? times.written
  if (!exists) return { kind: 'created', version: version + 1, lastUpdated }
  if (current.digest.equals(change.draft.digest)) return { kind: 'unchanged', version }
  if (change.onlyNew) return { kind: 'exists', version }
  if (stated !== undefined && stated < current.updated.getTime()) return { kind: 'older', version }
  return { kind: 'updated', version: version + 1, lastUpdated }
}

/** The `meta.lastUpdated` that a new version of a record gets. */
export const lastUpdatedOf = (draft: Draft, times: WriteTimes): number => keptLastUpdated(draft, times) ?? times.written

const keptLastUpdated = ({ text }: Draft, { keepLastUpdated }: WriteTimes): number | undefined =>
  keepLastUpdated ? statedLastUpdated(text) : undefined
