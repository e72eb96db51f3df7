import { randomInt } from 'node:crypto'
import pg, { type PoolConfig } from 'pg'

/** Class of the advisory locks by which workers are alive; the second key is the worker. */
const livenessClass = 7062

/** A worker's proof of life: a session that holds a lock. When the process dies, by SIGKILL too, PostgreSQL lets go of it. */
export interface Liveness {
  readonly worker: number
  readonly close: () => Promise<void>
}

/** Takes a new worker number. `onLost` is called when the session ends by itself: others may then rescue what the worker holds. */
export async function openLiveness(connection: PoolConfig, onLost: () => void): Promise<Liveness> {
  const client = new pg.Client(connection)
  let closing = false
  client.on('error', () => {})
  client.on('end', () => {
    if (!closing) onLost()
  })
  await client.connect()
  // A worker's machine that is gone says no goodbye: PostgreSQL is to notice within half a minute.
  await client.query('set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3')
  for (;;) {
    const worker = randomInt(1, 2 ** 31 - 1)
    const { rows } = await client.query('select pg_try_advisory_lock($1, $2) as taken', [livenessClass, worker])
    if (!rows[0].taken) continue
    const close = async () => {
      closing = true
      await client.end()
    }
    return { worker, close }
  }
}

/** SQL: the workers that are alive. */
export const liveWorkersSql = `
  select objid::bigint::integer as worker from pg_locks
  where locktype = 'advisory' and classid = ${livenessClass} and objsubid = 2 and granted
    and database = (select oid from pg_database where datname = current_database())`
