import type { Pool } from 'pg'

/** The most old versions that one statement removes. */
const pruneRowsMax = 5_000

const pruneSql = `
  delete from record
  where ctid = any (array(
    select ctid from record where superseded <= $1 order by superseded limit ${pruneRowsMax}))
    and superseded <= $1`

/**
 * Removes versions that ended at or before `horizon` (milliseconds since 1970): those no live export can see.
 * @returns how many went; fewer than the bound when nothing is left
 */
export async function pruneVersions(pool: Pool, horizon: number): Promise<number> {
  return (await pool.query(pruneSql, [new Date(horizon)])).rowCount ?? 0
}
