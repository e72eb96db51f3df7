import type { EventEmitter } from 'node:events'
import type { Meter, Sample } from './meter.ts'

/** Who uses a pool of connections to the database. */
export type PoolName = 'answering' | 'writing' | 'engine' | 'requests'

/** A pool of the driver, as far as it is measured. `waited` tells in milliseconds how long somebody waited for a connection, in vain too. */
interface MeasuredPool extends Pick<EventEmitter, 'on'> {
  readonly totalCount: number
  readonly idleCount: number
  readonly waitingCount: number
}

/** Tells how long those wait who take connections of a pool. @returns how the pool is used at the moment */
export function measurePool(pool: MeasuredPool, name: PoolName, meter: Meter): () => Sample[] {
  pool.on('waited', (ms: number) => meter.observe('millrace_database_pool_wait_seconds', ms / 1000, { pool: name }))
  const connections = (state: string, value: number): Sample => ({
    name: 'millrace_database_pool_connections',
    value,
    labels: { pool: name, state },
  })
  return () => [
    connections('used', pool.totalCount - pool.idleCount),
    connections('idle', pool.idleCount),
    { name: 'millrace_database_pool_waiting', value: pool.waitingCount, labels: { pool: name } },
  ]
}
