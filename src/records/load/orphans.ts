import type { Pool } from 'pg'
import { missesPatient, typesOfPatients } from '../ownerless.ts'

// Not `superseded = 'infinity'`: with statistics of an empty table the index of current versions would be taken, and all of a type read.
const orphansSql = `
  select k.type, r.count from unnest($2::text[]) as k(type)
  cross join lateral (
    select count(*)::int as count from record
    where tenant = $1 and owner = '' and type = k.type and lead and superseded >= 'infinity' and not deleted
      and ${missesPatient}
    offset 0) r
  where r.count > 0
  order by k.type`

/** How many current records of a tenant belong to nobody although they are of patients: no export of patients has them. */
export async function orphansByType(pool: Pool, tenant: string): Promise<Readonly<Record<string, number>>> {
  const { rows } = await pool.query<{ type: string; count: number }>(orphansSql, [tenant, typesOfPatients])
  return Object.fromEntries(rows.map(({ type, count }) => [type, count]))
}
