import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { Failure } from '../failure.ts'

/** Any number, the same in every program: whoever holds this advisory lock makes or changes tables, the others wait. */
const migrationLock = 5_741_003
/** How often a waiting program looks, and for how long; a migration of a large store takes minutes. */
const lookEveryMs = 100
const waitMsMax = 900_000

/** A migration takes as long as it takes, but it does not make everybody wait who comes after it while it waits for a lock itself. */
const boundsSql = 'set statement_timeout = 0; set idle_in_transaction_session_timeout = 0; set lock_timeout = 60000'

/**
 * Makes or changes tables, one program at a time: `create … if not exists` fails when two run side by side. The lock is on a connection
 * of its own, which `work` may use, and goes with it.
 * @throws Failure when another program has held the lock for too long
 */
export async function underMigrationLock<T>(pool: pg.Pool, work: (client: pg.ClientBase) => Promise<T>): Promise<T> {
  const client = new pg.Client(pool.options)
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query(boundsSql)
    await takeLock(client)
    return await work(client)
  } finally {
    await client.end().catch(() => {})
  }
}

/** Asks again and again instead of waiting inside PostgreSQL, where waits for locks are short. */
async function takeLock(client: pg.ClientBase): Promise<void> {
  const deadline = performance.now() + waitMsMax
  for (;;) {
    const { rows } = await client.query('select pg_try_advisory_lock($1) as taken', [migrationLock])
    if (rows[0].taken) return
    if (performance.now() > deadline) throw lockedTooLong()
    await sleep(lookEveryMs)
  }
}

function lockedTooLong(): Failure {
  return new Failure(
    `Another program has been making or changing the tables of this store for ${waitMsMax / 60_000} minutes.`,
    `Look for it in pg_stat_activity (it holds the advisory lock ${migrationLock}): wait until it has ended, or end it.`,
  )
}
