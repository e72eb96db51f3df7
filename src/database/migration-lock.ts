import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { Failure } from '../failure.ts'

/** Any number, the same in every program: whoever holds this advisory lock makes or changes tables, the others wait. */
const migrationLock = 5_741_003
/** How often a waiting program looks, and for how long; a migration of a large store takes minutes. */
const lookEveryMs = 100
const waitMsMax = 900_000

/**
 * Makes or changes tables, one program at a time: `create … if not exists` fails when two run side by side. The lock is on a connection
 * that `work` may use, or leave alone and use others.
 * @throws Failure when another program has held the lock for too long
 */
export async function underMigrationLock<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let failed = true
  try {
    await takeLock(client)
    const result = await work(client)
    await client.query('select pg_advisory_unlock($1)', [migrationLock])
    failed = false
    return result
  } finally {
    // Closing a connection that failed also gives the lock back.
    client.release(failed)
  }
}

/** Asks again and again instead of waiting inside PostgreSQL, where waits for locks are short. */
async function takeLock(client: pg.PoolClient): Promise<void> {
  const deadline = Date.now() + waitMsMax
  for (;;) {
    const { rows } = await client.query('select pg_try_advisory_lock($1) as taken', [migrationLock])
    if (rows[0].taken) return
    if (Date.now() > deadline) throw lockedTooLong()
    await sleep(lookEveryMs)
  }
}

function lockedTooLong(): Failure {
  return new Failure(
    `Another program has been making or changing the tables of this store for ${waitMsMax / 60_000} minutes.`,
    `Look for it in pg_stat_activity (it holds the advisory lock ${migrationLock}): wait until it has ended, or end it.`,
  )
}
