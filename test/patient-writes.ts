import type { Pool } from 'pg'

/**
 * Lets writes wait for the rows of records that somebody holds for as long as he does, not for the seconds after which they fail: on a slow
 * machine those are over before all have come that are to wait.
 */
export async function letWritesWait(pool: Pool): Promise<void> {
  await pool.query(`
    create function wait_patiently() returns trigger language plpgsql as $$ begin
      perform set_config('lock_timeout', '0', true);
      return null; end $$;
    create trigger wait_patiently before insert or update on record for each statement execute function wait_patiently()`)
}
