import type { Pool } from 'pg'
import { inHalves } from '../database/in-halves.ts'
import { copyRows } from './copy/copy-out.ts'
import { type Key, keyOf } from './current.ts'
import { text } from './sql-literal.ts'

/** A stored version as it is read over HTTP. `body` is null for a tombstone; a long one comes as bytes. */
export interface StoredVersion {
  readonly version: number
  readonly updated: Date
  readonly body: string | Buffer | null
}

/** Asked for each text, with its bytes, before a long one is read. What it throws ends the reading. */
export type Admit = (bytes: number) => void | Promise<void>

/** A longer text is not read as a whole: the driver would need several times its bytes. */
const wholeBytesMax = 256 * 1024

const columns = `version, updated, octet_length(body) as bytes,
  case when octet_length(body) <= ${wholeBytesMax} then body end as body`

interface VersionRow {
  readonly version: number
  readonly updated: Date
  readonly bytes: number | null
  readonly body: string | null
}

const currentSql = `
  select ${columns} from record
  where tenant = $1 and type = $2 and id = $3 and lead and superseded = 'infinity'`

/** The current version of a record, undefined when it never existed. */
export async function readCurrent(
  pool: Pool,
  tenant: string,
  type: string,
  id: string,
  admit: Admit,
): Promise<StoredVersion | undefined> {
  for (;;) {
    const [row] = (await pool.query<VersionRow>(currentSql, [tenant, type, id])).rows
    if (!row) return undefined
    const whole = await wholeVersion(pool, tenant, { type, id }, row, admit)
    // Otherwise it was replaced meanwhile, and removed.
    if (whole) return whole
  }
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
  admit: Admit,
): Promise<StoredVersion | undefined> {
  const [row] = (await pool.query<VersionRow>(versionSql, [tenant, type, id, version])).rows
  return row && wholeVersion(pool, tenant, { type, id }, row, admit)
}

async function wholeVersion(
  pool: Pool,
  tenant: string,
  key: Key,
  { version, updated, bytes, body }: VersionRow,
  admit: Admit,
): Promise<StoredVersion | undefined> {
  if (bytes === null) return { version, updated, body: null }
  await admit(bytes)
  if (body !== null) return { version, updated, body }
  const long = await readLong(pool, tenant, key, version, bytes)
  return long && { version, updated, body: long }
}

/** What of a long text comes at a time. */
const pieceBytes = 64 * 1024

/** A long text, in pieces that are put together in the one buffer that it needs; undefined when the version is not there any more. */
async function readLong(
  pool: Pool,
  tenant: string,
  { type, id }: Key,
  version: number,
  bytes: number,
): Promise<Buffer | undefined> {
  const itself = `tenant = ${text(tenant)} and type = ${text(type)} and id = ${text(id)} and version = ${version} and lead`
  const sql = `
    select piece.at, substring(whole.bytes from piece.at + 1 for ${pieceBytes}) from (
      select convert_to(body, 'UTF8') as bytes from record where ${itself} and superseded = 'infinity'
      union all
      select convert_to(body, 'UTF8') from record where ${itself} and superseded < 'infinity'
      limit 1) whole
    cross join lateral generate_series(0, octet_length(whole.bytes) - 1, ${pieceBytes}) as piece(at)`
  const read = Buffer.allocUnsafeSlow(bytes)
  let length = 0
  for await (const rows of copyRows(pool, sql)) {
    for (const row of rows) length += row.binary(1).copy(read, row.integer(0))
  }
  return length === bytes ? read : undefined
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
