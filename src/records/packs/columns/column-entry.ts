import type { Deflated } from '../../../gzip/deflated.ts'

/** What the columns of a pack tell of one record. Times are milliseconds since 1970. */
export interface ColumnEntry {
  readonly id: string
  /** Bytes of its line with the line feed; 0 for a record that is not in the pack because it belongs to other owners too. */
  readonly length: number
  /** meta.lastUpdated */
  readonly updated: number
  /** Blank-separated, as `Pack.refs`. */
  readonly refs: string
  /** Its place among all of the owner and type in the order of ids. */
  readonly rank: number
  /** Provenance: when its activity was recorded, -Infinity when that is not known. */
  readonly recorded: number
  /** Provenance: its targets that are there, `Type/id`. */
  readonly targets: readonly string[]
}

/** Lines of a pack that can be copied without the others, and stand one after the other. */
export interface ColumnSection {
  /** What they all have: the text of the member by which they are put together, '' for none. undefined when it is not the same. */
  readonly told: string | undefined
  readonly lines: Deflated
}
