import type { Outcome } from '../write/change.ts'
import { type Listed, ShortList } from './short-list.ts'
import { passedOverListedMax } from './source/source-files.ts'

/** Something in a file that was not loaded. `place` is a line number, `entry[3]`, or both. */
export interface LoadFault {
  readonly file: string
  readonly place: string
  readonly reason: string
}

/** What became of the drafts that were stored. */
export interface StoredCounts {
  readonly created: number
  readonly updated: number
  readonly unchanged: number
}

/** What a load did, each record and deletion counted once: `read` is the sum of all but `faults` and what stands behind it. */
interface LoadCounts extends StoredCounts {
  readonly read: number
  readonly deleted: number
  /** Deletions of what is not there. */
  readonly absent: number
  /** Entries for which a record of the store was taken instead (`ifNoneExist`). */
  readonly found: number
  /** Left alone, for the store has a newer version by the times of the source. */
  readonly older: number
  /** Lines and entries that were not loaded. */
  readonly refused: number
  /** What was reported: more than `refused` where a file cannot be read, fewer where a whole Bundle is refused. */
  readonly faults: number
  /** Times of the source that cannot be kept, replaced by the time of loading. */
  readonly lastUpdatedReplaced: number
  /** OperationOutcomes and Parameters without an id: what exports tell beside records. */
  readonly notRecords: number
}

/** A reference that leads nowhere as it stands. The values of identifiers are not told: they may be a patient's. */
export interface OpenReference {
  /** `Type/id` of the record that has it. */
  readonly record: string
  /** What it asks for: a type, or `urn`. */
  readonly names: string
  readonly because: 'nothing matches' | 'several match' | 'it cannot be looked up'
}

/** What a file was taken for. */
export interface LoadedFile {
  readonly file: string
  readonly form: string
}

/** What a load did, as data. */
export interface LoadSummary {
  readonly counts: LoadCounts
  readonly references: { readonly resolved: number; readonly open: Listed<OpenReference> }
  readonly files: Listed<LoadedFile>
  /** Files of folders that are nothing that can be loaded. */
  readonly passedOver: Listed<string>
  /** Current records that belong to nobody although their type belongs to patients, by type. */
  readonly orphaned: Readonly<Record<string, number>>
}

/** Open references that are named; the rest are counted. */
const openListedMax = 100

/** Files that are named with what they were taken for; the rest are counted. */
const filesListedMax = 1_000

/** Counts what a load does. */
export class LoadTally {
  readonly counts = {
    read: 0,
    created: 0,
    updated: 0,
    unchanged: 0,
    deleted: 0,
    absent: 0,
    found: 0,
    older: 0,
    refused: 0,
    faults: 0,
    lastUpdatedReplaced: 0,
    notRecords: 0,
  }
  resolved = 0
  readonly open = new ShortList<OpenReference>(openListedMax)
  readonly files = new ShortList<LoadedFile>(filesListedMax)
  readonly passedOver = new ShortList<string>(passedOverListedMax)
  readonly #onFault: (fault: LoadFault) => void

  constructor(onFault: (fault: LoadFault) => void) {
    this.#onFault = onFault
  }

  /** @param refused how many lines or entries are not loaded because of it */
  fault(fault: LoadFault, refused: number): void {
    this.counts.faults++
    this.counts.refused += refused
    this.counts.read += refused
    this.#onFault(fault)
  }

  /** Counts what became of a record; what was refused is a `fault`. */
  stored(kind: Exclude<Outcome['kind'], 'conflict' | 'exists'> | 'found'): void {
    this.counts.read++
    this.counts[kind]++
  }

  /** Counts so many records that are new. */
  created(records: number): void {
    this.counts.read += records
    this.counts.created += records
  }

  summary(orphaned: Readonly<Record<string, number>>): LoadSummary {
    return {
      counts: { ...this.counts },
      references: { resolved: this.resolved, open: this.open.listed() },
      files: this.files.listed(),
      passedOver: this.passedOver.listed(),
      orphaned,
    }
  }
}
