import type { Deflated } from '../../gzip/deflated.ts'

/**
 * Current records of one owner and type, deflated once so that exports can copy them. Times are milliseconds since 1970.
 * It is derived from the versions, and never the truth: a write drops it.
 */
export interface Pack extends Deflated {
  readonly owner: string
  readonly type: string
  /** A large owner's records are cut into several packs, numbered from 0 in their order: that of ids, but for Provenances (`Slice`). */
  readonly number: number
  /** How many packs these are: one that is empty where all records are deleted. */
  readonly total: number
  /** The latest change of the owner's records of the type, deletes included; -Infinity when there is no version of them. */
  readonly changed: number
  /** The least and the greatest meta.lastUpdated in it; Infinity and -Infinity without records. */
  readonly oldest: number
  readonly newest: number
  /** What its records refer to, once: `Type/id` of records that may come along, and marks of open references, blank-separated, in ASCII. */
  readonly refs: Buffer
  /** Records that belong to other owners too; they are not in the pack, and exported once by another way. Blank-separated `Type/id`. */
  readonly shared: string
  /** Provenance: the distinct sets of types of existing targets, blank-separated `Type,Type`; `-` where none of them is there. */
  readonly targets: string
  /** Provenance: which of an owner's it holds. */
  readonly slice: Slice
  /** The pack of no type: the types of which the owner may have records, blank-separated; '' in all others. */
  readonly present: string
  /** What it tells of each of its records (`PackColumns`); undefined when that was not read, and where there is no record. */
  readonly columns: Buffer | undefined
}

/**
 * Of an owner's Provenances stand first those that are the newest of one of their targets, then the others, each in the order of their
 * ids and in packs of their own. Very many are not divided: '', which other types have, too.
 */
export type Slice = 'latest' | 'older' | ''
