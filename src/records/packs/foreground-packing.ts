import type { Pool } from 'pg'

/** Class and number of the advisory lock that commands share while they pack. */
const lockClass = 7061
const lockNumber = 4

/**
 * Does work that packs, while the packers of servers stand back: they would make the same packs once more. Several commands may do so
 * at the same time. A command that dies gives its lock back with its connection.
 */
export async function packInForeground<Result>(pool: Pool, work: () => Promise<Result>): Promise<Result> {
  const client = await pool.connect()
  // Only the lock is lost with the connection; what is at work notices for itself when the database is gone.
  client.on('error', () => {})
  try {
    await client.query('select pg_advisory_lock_shared($1, $2)', [lockClass, lockNumber])
    return await work()
  } finally {
    client.release(true)
  }
}

const takenSql = `
  select exists (
    select from pg_locks
    where locktype = 'advisory' and classid = ${lockClass} and objid = ${lockNumber} and objsubid = 2 and granted
      and database = (select oid from pg_database where datname = current_database())) as taken`

/** Whether a command packs. */
export async function isPackedInForeground(pool: Pool): Promise<boolean> {
  return (await pool.query<{ taken: boolean }>(takenSql)).rows[0]!.taken
}
