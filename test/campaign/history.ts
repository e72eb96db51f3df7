import type { Pool } from 'pg'

/** A version that the store has had, whether it has removed it since or not. Times in milliseconds since 1970. */
export interface Version {
  readonly type: string
  readonly id: string
  readonly version: number
  readonly written: number
  readonly updated: number
  /** The stored line; null for a deletion. */
  readonly body: string | null
}

/** Old versions are pruned while a campaign runs: each one is noted in the transaction that writes it. */
const historySql = `
  create schema campaign;
  create table campaign.history (tenant text, type text, id text, version integer, written timestamptz, updated timestamptz,
    body text, primary key (tenant, type, id, version));
  create function campaign.note() returns trigger language plpgsql as $$ begin
    insert into campaign.history values (new.tenant, new.type, new.id, new.version, new.written, new.updated, new.body)
      on conflict do nothing;
    return new; end $$;
  create trigger note after insert on record for each row when (new.lead) execute function campaign.note()`

export async function keepHistory(pool: Pool): Promise<void> {
  await pool.query(historySql)
}

/** Every version of a tenant, those of one record in order. */
export async function historyOf(pool: Pool, tenant: string): Promise<Version[]> {
  const sql = `select type, id, version, extract(epoch from written) * 1000 as written, extract(epoch from updated) * 1000 as updated, body
    from campaign.history where tenant = $1 order by type, id, version`
  const { rows } = await pool.query(sql, [tenant])
  return rows.map((row) => ({ ...row, written: Number(row.written), updated: Number(row.updated) }))
}

/** What is there now: the current version of each record of a tenant. */
export async function currentOf(
  pool: Pool,
  tenant: string,
): Promise<Map<string, { version: number; body: string | null }>> {
  const sql = `select type || '/' || id as key, version, body from record where tenant = $1 and lead and superseded = 'infinity'`
  const { rows } = await pool.query(sql, [tenant])
  return new Map(rows.map(({ key, version, body }) => [key, { version, body }]))
}
