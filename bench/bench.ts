import type { Book } from './book.ts'
import type { Caller, FinishedExport } from './caller.ts'
import type { Share } from './catalogue.ts'
import type { Dataset } from './dataset.ts'
import type { BenchServer } from './server.ts'
import type { BenchStore } from './store.ts'

/** What every measure works with. */
export interface Bench {
  /** Directory for everything but the results. */
  readonly work: string
  readonly dataset: Dataset
  readonly store: BenchStore
  readonly server: BenchServer
  readonly caller: Caller
  readonly book: Book
  readonly repeats: number
  /** Told to whoever watches. */
  readonly say: (text: string) => void
  /** Something that the reader of the result must know. */
  readonly note: (text: string) => void
  readonly signal: AbortSignal
}

/** A share of the patients, spread evenly over the dataset. */
export const patientsOf = ({ patients }: Dataset, share: Share): readonly string[] =>
  patients.filter((_, index) => index % (100 / share) === 0)

/** Notes how fast the status was told while all patients were exported: smaller exports are no load. */
export function addPolls({ book }: Bench, share: Share, { pollMs }: FinishedExport): void {
  if (share < 100) return
  for (const ms of pollMs) {
    book.add('poll', ms)
    book.add('poll-p99', ms)
  }
}
