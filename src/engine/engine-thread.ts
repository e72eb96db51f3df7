import { parentPort, workerData } from 'node:worker_threads'
import type { PoolConfig } from 'pg'
import { errorReason } from '../database/error-code.ts'
import { openPool } from '../database/pool.ts'
import { type FilesPlace, openFiles } from '../files/files-place.ts'
import { lowerBackends } from '../priority/backend-priority.ts'
import { lowerOwnPriority, niceness } from '../priority/thread-priority.ts'
import { DistantMeter, type Measured } from '../telemetry/distant-meter.ts'
import { measurePool } from '../telemetry/pool-samples.ts'
import { spareSlotsMax, startEngine } from './engine.ts'
import type { EngineLog } from './engine-log.ts'
import { warmUp } from './warm-up/warm-up.ts'

/** What the main thread gives an engine thread. */
export interface EngineThreadData {
  readonly connection: PoolConfig
  /** The database runs on this machine, with this program. */
  readonly ownDatabase: boolean
  readonly files: FilesPlace
  readonly concurrency: number
}

/** What an engine thread tells: events, among them that it is ready, and what it has measured. */
export type FromEngineThread =
  | { readonly event: string; readonly details?: Record<string, unknown> }
  | { readonly measured: Measured }

/** Connections of one thread: two read for each task, one serves its beats and transactions, and the sweeper's. */
const poolSizeOf = (concurrency: number): number => concurrency * 3 + 2

// Whoever is answered at once goes before what takes long.
lowerOwnPriority(niceness.engine)

const { connection, ownDatabase, files, concurrency } = workerData as EngineThreadData
const port = parentPort!
const log: EngineLog = (event, details) => port.postMessage({ event, details })
const pool = openPool(connection, poolSizeOf(concurrency + spareSlotsMax))
if (ownDatabase) lowerBackends(pool)
const meter = new DistantMeter(
  (measured) => port.postMessage({ measured }),
  () => poolLevels(),
)
const poolLevels = measurePool(pool, 'engine', meter)
const engine = await startEngine({
  pool,
  connection,
  files: await openFiles(files, {
    short: (shortage) => log('disk-short', shortage),
    unusable: (trouble) => log('files-unusable', trouble),
  }),
  concurrency,
  log,
  meter,
})
port.once('message', async () => {
  await engine.stop()
  await pool.end()
  meter.stop()
  port.close()
})
// Tasks are taken meanwhile: who waits for this thread to be ready finds it warm.
await warmUp(connection).catch((error) => log('warm-up-failed', { reason: errorReason(error) }))
port.postMessage({ event: 'ready' })
