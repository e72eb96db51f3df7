import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import type { PoolConfig } from 'pg'
import { openPool } from '../../database/pool.ts'
import { Failure } from '../../failure.ts'
import type { WrittenRows } from '../packs/fresh/written-rows.ts'
import { type LoadOptions, load } from './load.ts'
import type { LoadFault, LoadSummary, StoredCounts } from './load-tally.ts'
import type { SourceFile } from './source/source-files.ts'

const parseThreadsMax = 8

/** Written batches that wait for their packs, more than `FreshPacks` holds back; then writing waits. */
const unansweredMax = 12

/** What a loading thread is given. */
export interface LoadThreadData {
  readonly connection: PoolConfig
  readonly tenant: string
  readonly files: readonly SourceFile[]
  readonly options: LoadOptions
}

/** What it tells. `bytes` are those read from disk so far. */
export type LoadThreadMessage =
  | { readonly kind: 'batch'; readonly bytes: number; readonly counts: StoredCounts }
  | { readonly kind: 'fault'; readonly fault: LoadFault }
  /** To be answered with the number when the rows are needed no more. */
  | { readonly kind: 'written'; readonly number: number; readonly rows: WrittenRows }
  | { readonly kind: 'done'; readonly summary: LoadSummary }
  /** A `Failure` in parts: it does not come from one thread to another as what it is. */
  | { readonly kind: 'failed'; readonly message: string; readonly advice: string }

const { connection, tenant, files, options } = workerData as LoadThreadData
const tell = (message: LoadThreadMessage) => parentPort!.postMessage(message)
const pool = openPool(connection, 4)
/** This thread and the database need a core too. */
const parseThreads = Math.min(parseThreadsMax, Math.max(1, availableParallelism() - 1))
let bytes = 0
let writes = 0
const unanswered = new Map<number, () => void>()
parentPort!.on('message', (number: number) => {
  unanswered.get(number)!()
  unanswered.delete(number)
})
const report = {
  onBytes: (more: number) => {
    bytes += more
  },
  onFault: (fault: LoadFault) => tell({ kind: 'fault', fault }),
  onBatch: (stored: StoredCounts) => tell({ kind: 'batch', bytes, counts: { ...stored } }),
  onWritten: async (rows: WrittenRows, release: () => void) => {
    tell({ kind: 'written', number: ++writes, rows })
    unanswered.set(writes, release)
    while (unanswered.size > unansweredMax) await once(parentPort!, 'message')
  },
}
try {
  const summary = await load(pool, tenant, files, { ...options, parseThreads }, report)
  tell({ kind: 'done', summary })
} catch (error) {
  if (!(error instanceof Failure)) throw error
  tell({ kind: 'failed', message: error.message, advice: error.advice })
} finally {
  parentPort!.unref()
  await pool.end()
}
