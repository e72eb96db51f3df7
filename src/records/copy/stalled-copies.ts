import type { Pool } from 'pg'

/** A COPY into the store whose sender sends nothing is ended after this time: the longest of them carry a few MiB. */
export const copyStillMsMax = 30_000

const endSql = `
  select pg_terminate_backend(pid) from pg_stat_activity
  where datname = current_database() and usesysid = (select oid from pg_roles where rolname = current_user)
    and state = 'active' and wait_event = 'ClientRead' and query like 'copy % from stdin %'
    and query_start < clock_timestamp() - $1 * interval '1 millisecond'`

/**
 * Ends sessions that stand still in the middle of a COPY into the store, and hold the clock's lock meanwhile: their program is paused, or
 * its network swallows everything. PostgreSQL itself would wait for ever, because it looks neither for the bound on statements nor for
 * that on idling while it waits for the bytes of a COPY.
 * @returns how many were ended
 */
export async function endStalledCopies(pool: Pool, stillMsMax = copyStillMsMax): Promise<number> {
  return (await pool.query(endSql, [stillMsMax])).rowCount ?? 0
}
