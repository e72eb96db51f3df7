import type { Pool } from 'pg'

/** Class and number of the advisory lock that commands share while they pack. */
const lockKey = [7061, 4]

/**
 * Does work that packs, while the packers of servers stand back: they would make the same packs once more. Several commands may do so
 * at the same time. A command that dies gives its lock back with its connection.
 */
export async function packInForeground<Result>(pool: Pool, work: () => Promise<Result>): Promise<Result> {
  const client = await pool.connect()
  // Only the lock is lost with the connection; what is at work notices for itself when the database is gone.
  client.on('error', () => {})
  try {
    await client.query('select pg_advisory_lock_shared($1, $2)', lockKey)
    return await work()
  } finally {
    client.release(true)
  }
}

/** Whether a command packs. */
export async function isPackedInForeground(pool: Pool): Promise<boolean> {
  const sql = 'select not pg_try_advisory_xact_lock($1, $2) as taken'
  return (await pool.query<{ taken: boolean }>(sql, lockKey)).rows[0]!.taken
}
