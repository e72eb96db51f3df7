import type { Pool } from 'pg'
import { validAt } from './as-of.ts'
import { copyRows } from './copy/copy-out.ts'
import { type Key, keyOf } from './current.ts'
import { text, textArray } from './sql-literal.ts'

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

/** The owners of records as of a time (milliseconds since 1970), by `Type/id`; `''` for nobody. What was not there is left out. */
export async function ownersAsOf(
  pool: Pool,
  { tenant, keys, asOf, signal }: { tenant: string; keys: readonly Key[]; asOf: number; signal?: AbortSignal },
): Promise<ReadonlyMap<string, readonly string[]>> {
  const [types, ids] = [keys.map(({ type }) => type), keys.map(({ id }) => id)]
  const ofKey = `tenant = ${text(tenant)} and type = k.type and id = k.id and ${validAt(asOf)}`
  const query = `
    select r.type, r.id, r.owner from unnest(${textArray(types)}, ${textArray(ids)}) as k(type, id)
    cross join lateral (
      select type, id, owner from record where ${ofKey} and lead and superseded = 'infinity'
      union all
      select type, id, owner from record where ${ofKey} and (not lead or superseded < 'infinity')
      offset 0) r`
  const owners = new Map<string, string[]>()
  for await (const rows of copyRows(pool, query, signal)) {
    for (const row of rows) {
      const key = keyOf({ type: row.text(0), id: row.text(1) })
      owners.set(key, [...(owners.get(key) ?? []), row.text(2)])
    }
  }
  return owners
}
