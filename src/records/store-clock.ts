import type { Pool } from 'pg'

/** The present moment by the store's clock, which cuts are taken from, in milliseconds since 1970. A later cut is never earlier. */
export async function storeTime(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ at: Date }>(
    'select greatest(clock_timestamp(), to_timestamp(last_value / 1000.0)) as at from clock',
  )
  return rows[0]!.at.getTime()
}
