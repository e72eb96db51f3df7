import type { ClientBase, Pool } from 'pg'
import { transaction } from '../database/transaction.ts'
import { endedJobsMax, jobRetentionDays } from '../protocol/limits.ts'
import { hasEnded } from './state-conditions.ts'

/** References that one statement removes: a job may have noted a million. */
export const referencesPerStatementMax = 10_000

/**
 * Drops what a deleted or failed job needs no longer. What stays is a row that says whose it was, when it began and ended, how many
 * patients it was about, and why it failed; of a failed one also what its status asks for: types and filters.
 * @returns false: it had so many references that some may be left; call again
 */
export async function clearEnded(pool: Pool, id: string): Promise<boolean> {
  const { rowCount } = await pool.query(`select from job where id = $1 and ${hasEnded} and not cleared`, [id])
  if (rowCount === 0) return true
  if (!(await dropReferences(pool, id))) return false
  await transaction(pool, (client) => clear(client, id))
  return true
}

/** Whether none is left. */
async function dropReferences(pool: Pool, id: string): Promise<boolean> {
  const sql = `delete from reference where ctid = any (array(
    select ctid from reference where job = $1 limit ${referencesPerStatementMax})) and job = $1`
  return (await pool.query(sql, [id])).rowCount! < referencesPerStatementMax
}

async function clear(client: ClientBase, id: string): Promise<void> {
  const sql = `update job set cleared = true, patients_packed = null, warnings_packed = null, url = '',
      request = case when state = 'deleted' then '{}' else request end
    where id = $1 and ${hasEnded} and not cleared`
  if ((await client.query(sql, [id])).rowCount === 0) return
  await client.query('delete from part where job = $1', [id])
  await client.query('delete from partition where job = $1', [id])
}

/** Jobs that one run clears at most; the next one goes on. */
const clearedJobsMax = 100

/** Clears the jobs that have ended and that nobody has cleared yet. */
export async function clearAllEnded(pool: Pool): Promise<void> {
  const sql = `select id from job where ${hasEnded} and not cleared limit ${clearedJobsMax}`
  for (const { id } of (await pool.query<{ id: string }>(sql)).rows) {
    while (!(await clearEnded(pool, id)));
  }
}

const surplusSql = `
  delete from job where id in (
    select surplus.id
    from (select tenant, client from job where ${hasEnded} group by tenant, client having count(*) > $1) busy
    cross join lateral (
      select id from job where tenant = busy.tenant and client = busy.client and ${hasEnded}
      order by finished desc, id offset $1) surplus)`

/** Forgets jobs that ended long ago, and of what one client has in a tenant the oldest beyond the bound. */
export async function forgetEnded(pool: Pool): Promise<void> {
  await pool.query(`delete from job where ${hasEnded} and finished < now() - $1 * interval '1 day'`, [jobRetentionDays])
  await pool.query(surplusSql, [endedJobsMax])
}
