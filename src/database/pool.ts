import pg from 'pg'
import { traceQueries } from '../telemetry/tracing/traced-queries.ts'
import { isTracing } from '../telemetry/tracing/tracing.ts'
import { type Patience, WatchedPool, workingPatience } from './watched-pool.ts'

const int8 = 20

/** `int8` as a number where a number is exact, else as a bigint. Other types as the driver reads them. */
const types = new pg.TypeOverrides()
types.setTypeParser(int8, (text) => {
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : BigInt(text)
})

/**
 * A pool of at most `size` connections, and one more that asks whether the database is there. A worker thread opens its own with the
 * `connection` of the `Database`.
 */
export function openPool(connection: pg.PoolConfig, size: number, patience: Patience = workingPatience): pg.Pool {
  const pool = new WatchedPool({ ...connection, max: size, types }, patience)
  // Without listeners a lost connection would end the program. An idle one is replaced by the pool;
  // the user of a busy one sees the error of its query.
  pool.on('error', () => {})
  const traces = isTracing()
  pool.on('connect', (client) => {
    client.on('error', () => {})
    if (traces) traceQueries(client)
  })
  return pool
}
