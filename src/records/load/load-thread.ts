import { parentPort, workerData } from 'node:worker_threads'
import type { PoolConfig } from 'pg'
import { openPool } from '../../database/pool.ts'
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

const { connection, tenant, files, options } = workerData as LoadThreadData
const tell = (message: LoadThreadMessage) => parentPort!.postMessage(message)
const pool = openPool(connection, 3)
let bytes = 0
const summary = await load(pool, tenant, files, options, {
  onBytes: (more) => {
    bytes += more
  },
  onFault: (fault) => tell({ kind: 'fault', fault }),
  onBatch: (stored) => tell({ kind: 'batch', bytes, counts: { ...stored } }),
})
await pool.end()
tell({ kind: 'done', summary })
