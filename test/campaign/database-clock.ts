import type { Pool } from 'pg'

/**
 * `now()` and `clock_timestamp()` as functions of SQL that can be wrong. PostgreSQL puts the text of such functions in the place of each
 * call when it plans a statement, so defaults, functions and the queue get the wrong time like everything else.
 */
const skewableSql = `
  create table if not exists campaign.skew (seconds integer not null);
  insert into campaign.skew select 0 where not exists (select from campaign.skew);
  create or replace function campaign.skew() returns interval language sql stable as
    $$ select seconds * interval '1 second' from campaign.skew $$;
  create or replace function pg_catalog.now() returns timestamptz language sql stable as
    $$ select current_timestamp + campaign.skew() $$;
  create or replace function pg_catalog.clock_timestamp() returns timestamptz language sql volatile as
    $$ select timeofday()::timestamptz + campaign.skew() $$`

/** Sets the database's clock wrong by some seconds, for all sessions. */
export async function setSkew(pool: Pool, seconds: number): Promise<void> {
  await pool.query(skewableSql)
  await pool.query('update campaign.skew set seconds = $1', [seconds])
}
