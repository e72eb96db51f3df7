import { parentPort, workerData } from 'node:worker_threads'
import type { PoolConfig } from 'pg'
import { openPool } from '../../database/pool.ts'
import { Failure } from '../../failure.ts'
import { type LoadOptions, load } from './load.ts'
import type { LoadFault, LoadSummary, StoredCounts } from './load-tally.ts'
import type { SourceFile } from './source/source-files.ts'

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
  | { readonly kind: 'done'; readonly summary: LoadSummary }
  /** A `Failure` in parts: it does not come from one thread to another as what it is. */
  | { readonly kind: 'failed'; readonly message: string; readonly advice: string }

const { connection, tenant, files, options } = workerData as LoadThreadData
const tell = (message: LoadThreadMessage) => parentPort!.postMessage(message)
const pool = openPool(connection, 3)
let bytes = 0
const report = {
  onBytes: (more: number) => {
    bytes += more
  },
  onFault: (fault: LoadFault) => tell({ kind: 'fault', fault }),
  onBatch: (stored: StoredCounts) => tell({ kind: 'batch', bytes, counts: { ...stored } }),
}
try {
  const summary = await load(pool, tenant, files, options, report)
  tell({ kind: 'done', summary })
} catch (error) {
  if (!(error instanceof Failure)) throw error
  tell({ kind: 'failed', message: error.message, advice: error.advice })
} finally {
  await pool.end()
}
