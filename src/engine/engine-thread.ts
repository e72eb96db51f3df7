import { parentPort, workerData } from 'node:worker_threads'
import type { PoolConfig } from 'pg'
import { errorReason } from '../database/error-code.ts'
import { openPool } from '../database/pool.ts'
import { DiskFloor } from '../files/disk-floor.ts'
import { diskStore } from '../files/disk-store.ts'
import { lowerBackends } from '../priority/backend-priority.ts'
import { lowerOwnPriority, niceness } from '../priority/thread-priority.ts'
import { spareSlotsMax, startEngine } from './engine.ts'
import type { EngineLog } from './engine-log.ts'
import { warmUp } from './warm-up/warm-up.ts'

/** What the main thread gives an engine thread. */
export interface EngineThreadData {
  readonly connection: PoolConfig
  /** The database runs on this machine, with this program. */
  readonly ownDatabase: boolean
  readonly filesDirectory: string
  readonly concurrency: number
  /** Whose disks must have so many bytes free. */
  readonly floor: { readonly directories: readonly string[]; readonly bytes: number }
}

/** Connections of one thread: two read for each task, one serves its beats and transactions, and the sweeper's. */
const poolSizeOf = (concurrency: number): number => concurrency * 3 + 2

// Whoever is answered at once goes before what takes long.
lowerOwnPriority(niceness.engine)

const { connection, ownDatabase, filesDirectory, concurrency, floor } = workerData as EngineThreadData
const port = parentPort!
const log: EngineLog = (event, details) => port.postMessage({ event, details })
const pool = openPool(connection, poolSizeOf(concurrency + spareSlotsMax))
if (ownDatabase) lowerBackends(pool)
const engine = await startEngine({
  pool,
  connection,
  files: diskStore(
    filesDirectory,
    new DiskFloor(floor.directories, floor.bytes, (shortage) => log('disk-short', { ...shortage })),
  ),
  concurrency,
  log,
})
port.once('message', async () => {
  await engine.stop()
  await pool.end()
  port.close()
})
// Tasks are taken meanwhile: who waits for this thread to be ready finds it warm.
await warmUp(connection).catch((error) => log('warm-up-failed', { reason: errorReason(error) }))
port.postMessage({ event: 'ready' })
