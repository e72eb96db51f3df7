import type { ClientBase, Pool } from 'pg'

/** The current version of a record, tombstones included. */
export interface Current {
  readonly type: string
  readonly id: string
  readonly version: number
  readonly deleted: boolean
  /** `meta.lastUpdated` */
  readonly updated: Date
  readonly digest: Buffer
  /** All owners; [''] when it belongs to nobody. */
  readonly owners: readonly string[]
}

/** What names a record within its tenant. */
export interface Key {
  readonly type: string
  readonly id: string
}

export const keyOf = ({ type, id }: Key): string => `${type}/${id}`

// All look-ups by key are lateral subqueries that the planner cannot turn round: with fresh statistics or none it would
// otherwise read a whole tenant to find a few records.
const currentSql = `
  select r.* from unnest($2::text[], $3::text[]) as k(type, id)
  cross join lateral (
    select type, id, version, deleted, updated, digest, owner, shared from record
    where tenant = $1 and type = k.type and id = k.id and lead and superseded = 'infinity'
    offset 0) r`

const furtherOwnersSql = `
  select r.* from unnest($2::text[], $3::text[]) as k(type, id)
  cross join lateral (
    select type, id, owner from record
    where tenant = $1 and type = k.type and id = k.id and not lead and superseded = 'infinity'
    offset 0) r
  order by r.owner`

/** Reads the current versions of the keys. `supersede` notices when one of them has changed since. */
export async function readCurrentRows(
  client: ClientBase | Pool,
  tenant: string,
  keys: readonly Key[],
): Promise<Map<string, Current>> {
  if (keys.length === 0) return new Map()
  const { rows } = await client.query(currentSql, [tenant, keys.map((key) => key.type), keys.map((key) => key.id)])
  const found = new Map<string, Current & { owners: string[] }>(
    rows.map((row) => [keyOf(row), { ...row, owners: [row.owner] }]),
  )
  const further = await furtherOwners(
    client,
    tenant,
    rows.filter((row) => row.shared),
  )
  for (const [key, owners] of further) found.get(key)!.owners.push(...owners)
  return found
}

/** The owners of the current versions of records beside the first, in order, by `Type/id`. */
export async function furtherOwners(
  client: ClientBase | Pool,
  tenant: string,
  keys: readonly Key[],
): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  if (keys.length === 0) return found
  const bound = [tenant, keys.map(({ type }) => type), keys.map(({ id }) => id)]
  const { rows } = await client.query<Key & { owner: string }>(furtherOwnersSql, bound)
  for (const row of rows) found.set(keyOf(row), [...(found.get(keyOf(row)) ?? []), row.owner])
  return found
}

const supersedeSql = (which: 'lead' | 'not lead') => `
  update record set superseded = $5
  from (
    select r.row from unnest($2::text[], $3::text[], $4::integer[]) as k(type, id, version)
    cross join lateral (
      select ctid as row from record
      where tenant = $1 and type = k.type and id = k.id and version = k.version and ${which} and superseded = 'infinity'
        and written <= $5
      offset 0) r) found
  where ctid = found.row and superseded = 'infinity'`

/** Another writer changed a record between the reading of its current version and now: begin again. */
export class Overtaken extends Error {}

/**
 * Ends the validity of current versions at `written` (milliseconds since 1970).
 * @throws Overtaken when one of them is current no more, or has a later stamp than `written`: a version never ends before it begins
 */
export async function supersede(
  client: ClientBase,
  tenant: string,
  current: readonly Current[],
  written: number,
): Promise<void> {
  if (current.length === 0) return
  const bind = (rows: readonly Current[]) => [
    tenant,
    rows.map((row) => row.type),
    rows.map((row) => row.id),
    rows.map((row) => row.version),
    new Date(written),
  ]
  const { rowCount } = await client.query(supersedeSql('lead'), bind(current))
  if (rowCount !== current.length) throw new Overtaken()
  const shared = current.filter((row) => row.owners.length > 1)
  if (shared.length > 0) await client.query(supersedeSql('not lead'), bind(shared))
}
