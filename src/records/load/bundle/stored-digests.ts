import type { Pool } from 'pg'
import { type Key, keyOf } from '../../current.ts'

const digestsSql = `
  select r.* from unnest($2::text[], $3::text[]) as k(type, id)
  cross join lateral (
    select type, id, digest from record
    where tenant = $1 and type = k.type and id = k.id and lead and superseded = 'infinity' and not deleted
    offset 0) r`

/** The digests of those of the records that exist, by `Type/id`. */
export async function storedDigests(
  pool: Pool,
  tenant: string,
  keys: readonly Key[],
): Promise<ReadonlyMap<string, Buffer>> {
  const { rows } = await pool.query<Key & { digest: Buffer }>(digestsSql, [
    tenant,
    keys.map(({ type }) => type),
    keys.map(({ id }) => id),
  ])
  return new Map(rows.map((row) => [keyOf(row), row.digest]))
}
