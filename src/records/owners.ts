import type { Pool } from 'pg'

// From one owner to the next by the index, whatever the number of their records.
const ownersSql = `
  with recursive step as (
    (select owner from record where tenant = $1 and owner > $2 order by owner limit 1)
    union all
    select (select owner from record where tenant = $1 and owner > step.owner order by owner limit 1)
    from step where step.owner is not null)
  select owner from step where owner is not null limit $3`

/** Owners that one page has at most. */
const pageOwnersMax = 5_000

/** Every owner that has or had records in the tenant, in order, in pages. `''`, which owns what is nobody's, is not among them. */
export async function* ownersOfTenant(pool: Pool, tenant: string): AsyncGenerator<string[]> {
  for (let after = ''; ; ) {
    const { rows } = await pool.query<{ owner: string }>(ownersSql, [tenant, after, pageOwnersMax])
    if (rows.length === 0) return
    yield rows.map(({ owner }) => owner)
    after = rows.at(-1)!.owner
  }
}
