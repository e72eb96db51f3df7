import { parentPort, workerData } from 'node:worker_threads'
import type { PoolConfig } from 'pg'
import { openPool } from '../database/pool.ts'
import { diskStore } from '../files/disk-store.ts'
import { spareSlotsMax, startEngine } from './engine.ts'

/** What the main thread gives an engine thread. */
export interface EngineThreadData {
  readonly connection: PoolConfig
  readonly filesDirectory: string
  readonly concurrency: number
}

/** Connections of one thread: two read for each task, one serves its beats and transactions, and the sweeper's. */
const poolSizeOf = (concurrency: number): number => concurrency * 3 + 2

const { connection, filesDirectory, concurrency } = workerData as EngineThreadData
const port = parentPort!
const pool = openPool(connection, poolSizeOf(concurrency + spareSlotsMax))
const engine = await startEngine({
  pool,
  connection,
  files: diskStore(filesDirectory),
  concurrency,
  log: (event, details) => port.postMessage({ event, details }),
})
port.once('message', async () => {
  await engine.stop()
  await pool.end()
  port.close()
})
port.postMessage({ event: 'ready' })
