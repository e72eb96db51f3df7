import type { Pool } from 'pg'
import { inHalves } from '../database/in-halves.ts'
import type { Queryable } from '../database/queryable.ts'
import { type Key, keyOf } from './current.ts'

/** A stored version as it is read over HTTP. `body` is null for a tombstone. */
export interface StoredVersion {
  readonly version: number
  readonly updated: Date
  readonly body: string | null
}

const columns = 'version, updated, body'

const currentSql = `
  select ${columns} from record
  where tenant = $1 and type = $2 and id = $3 and lead and superseded = 'infinity'`

/** The current version of a record, undefined when it never existed. */
export async function readCurrent(
  database: Queryable,
  tenant: string,
  type: string,
  id: string,
): Promise<StoredVersion | undefined> {
  return (await database.query<StoredVersion>(currentSql, [tenant, type, id])).rows[0]
}

const versionSql = `
  ${currentSql} and version = $4
  union all
  select ${columns} from record
  where tenant = $1 and type = $2 and id = $3 and lead and superseded < 'infinity' and version = $4
  limit 1`

/** One version of a record. Old versions are kept only while an export needs them, so undefined may mean that it was removed. */
export async function readVersion(
  pool: Pool,
  tenant: string,
  type: string,
  id: string,
  version: number,
): Promise<StoredVersion | undefined> {
  return (await pool.query<StoredVersion>(versionSql, [tenant, type, id, version])).rows[0]
}

const existingSql = `
  select r.id from unnest($2::text[]) as k(id)
  cross join lateral (
    select id from record
    where tenant = $1 and type = 'Patient' and id = k.id and lead and superseded = 'infinity'
      and (not deleted or updated > $3)
    offset 0) r`

/**
 * Those of the ids that are patients of the tenant, also those who were deleted after `deletedAfter` (milliseconds since
 * 1970), if it is given.
 */
export async function existingPatients(
  pool: Pool,
  tenant: string,
  ids: readonly string[],
  deletedAfter?: number,
): Promise<Set<string>> {
  const after = deletedAfter === undefined ? 'infinity' : new Date(deletedAfter)
  const found = await inHalves(ids, async (half) => {
    const { rows } = await pool.query<{ id: string }>(existingSql, [tenant, half, after])
    return rows
  })
  return new Set(found.map(({ id }) => id))
}

const bytesSql = `
  select coalesce(sum(octet_length(r.body)), 0)::float8 as bytes from unnest($3::text[]) as k(id)
  cross join lateral (
    select body from record
    where tenant = $1 and type = $2 and id = k.id and lead and superseded = 'infinity' and not deleted
    offset 0) r`

/** What the current texts of some records take, which is known without reading them. */
export async function currentBytes(pool: Pool, tenant: string, type: string, ids: readonly string[]): Promise<number> {
  return (await pool.query<{ bytes: number }>(bytesSql, [tenant, type, ids])).rows[0]!.bytes
}

const bodiesSql = `
  select k.id, r.body from unnest($3::text[]) as k(id)
  cross join lateral (
    select body from record
    where tenant = $1 and type = $2 and id = k.id and lead and superseded = 'infinity' and not deleted
    offset 0) r`

/** Records that are read at once: each may have up to `recordBytesMax` bytes. */
const bodiesMax = 500

/** The current texts of those of the records that exist, a few hundred at a time. */
export async function* currentBodies(
  pool: Pool,
  tenant: string,
  type: string,
  ids: readonly string[],
): AsyncGenerator<readonly { readonly id: string; readonly body: string }[]> {
  for (let at = 0; at < ids.length; at += bodiesMax) {
    yield (await pool.query(bodiesSql, [tenant, type, ids.slice(at, at + bodiesMax)])).rows
  }
}

const textsSql = `
  select r.* from unnest($2::text[], $3::text[]) as k(type, id)
  cross join lateral (
    select type, id, body from record
    where tenant = $1 and type = k.type and id = k.id and lead and superseded = 'infinity' and not deleted
    offset 0) r`

/** The current texts of those of the records that exist, by `Type/id`; all of them at once, so ask for a few hundred. */
export async function currentTexts(
  pool: Pool,
  tenant: string,
  keys: readonly Key[],
): Promise<ReadonlyMap<string, string>> {
  if (keys.length === 0) return new Map()
  const { rows } = await pool.query<Key & { body: string }>(textsSql, [
    tenant,
    keys.map(({ type }) => type),
    keys.map(({ id }) => id),
  ])
  return new Map(rows.map((row) => [keyOf(row), row.body]))
}
