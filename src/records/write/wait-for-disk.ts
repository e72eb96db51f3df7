import type { Pool } from 'pg'

/**
 * Returns when all deferred writes so far will survive a crash: a commit of its own, which waits for the log up to it. It has to write
 * something to the log, or PostgreSQL would not wait.
 */
export async function waitForDisk(pool: Pool): Promise<void> {
  await pool.query(`select pg_logical_emit_message(true, 'millrace', '')`)
}
