import type { Pool } from 'pg'
import type { CopyRow } from './copy/copied-row.ts'
import { copyRows } from './copy/copy-out.ts'
import { instant, text, textArray } from './sql-literal.ts'

/** One record as it was at a time. */
export interface RecordAsOf {
  /** One of its owners: the one it was read for. */
  readonly owner: string
  readonly id: string
  /** It belongs to several owners, so other owners' readings give it too. */
  readonly shared: boolean
  /** Blank-separated `Type/id` of records that may come along, and marks of open references. */
  readonly refs: string
  /** Provenance: blank-separated `Type/id` of its targets. */
  readonly targets: string
  /** meta.lastUpdated, milliseconds since 1970 */
  readonly updated: number
  /** A view of bytes that are overwritten when the next records are asked for. */
  readonly body: Buffer
}

const columns = 'owner, id, shared, refs, targets, updated, body'

export const validAt = (asOf: number): string =>
  `written <= ${instant(asOf)} and superseded > ${instant(asOf)} and not deleted`

export const updatedWithin = ({ since, until }: { since?: number | undefined; until?: number | undefined }): string =>
  [
    ...(since === undefined ? [] : [`and updated > ${instant(since)}`]),
    ...(until === undefined ? [] : [`and updated < ${instant(until)}`]),
  ].join(' ')

/** The targets of a Provenance that are records of its owner as of a time. */
const existingTargets = (asOf: number): string => `
  array_to_string(array(
    select target from unnest(string_to_array(p.targets, ' ')) as target
    where exists (select from record where tenant = p.tenant and owner = p.owner
      and type = split_part(target, '/', 1) and id = split_part(target, '/', 2) and ${validAt(asOf)})), ' ')`

/**
 * The records of one type that belong to the owners, as of a time, in order of owner and id.
 * `since`, `until`: only those whose meta.lastUpdated is later, earlier (S-42, D17). Times are milliseconds since 1970.
 */
export async function* recordsOfOwners(
  pool: Pool,
  selection: {
    tenant: string
    type: string
    owners: readonly string[]
    asOf: number
    since?: number | undefined
    until?: number | undefined
    signal?: AbortSignal
  },
): AsyncGenerator<RecordAsOf[]> {
  const { tenant, type, owners, asOf } = selection
  if (owners.length === 0) return
  yield* batches(
    pool,
    `select r.* from unnest(${textArray(owners)}) as o(owner) cross join lateral (
       select ${columns} from record
       where tenant = ${text(tenant)} and owner = o.owner and type = ${text(type)}
         and ${validAt(asOf)} ${updatedWithin(selection)}
       order by id) r`,
    selection.signal,
  )
}

/**
 * The Provenances that belong to the owners, as of a time, in order of owner and id. Their `targets` are only those that are records
 * of the owner at that time.
 */
export async function* provenancesOfOwners(
  pool: Pool,
  selection: { tenant: string; owners: readonly string[]; asOf: number; signal?: AbortSignal },
): AsyncGenerator<RecordAsOf[]> {
  const { tenant, owners, asOf } = selection
  if (owners.length === 0) return
  yield* batches(
    pool,
    `select r.* from unnest(${textArray(owners)}) as o(owner) cross join lateral (
       select ${columns.replace('targets', existingTargets(asOf))} from record as p
       where tenant = ${text(tenant)} and owner = o.owner and type = 'Provenance' and ${validAt(asOf)}
       order by id) r`,
    selection.signal,
  )
}

/**
 * The records of several types that belong to one owner, as of a time: types in the order given, each in runs and in order of id.
 * `since`, `until` as above.
 */
export async function* recordsOfOwner(
  pool: Pool,
  selection: {
    tenant: string
    owner: string
    types: readonly string[]
    asOf: number
    since?: number | undefined
    until?: number | undefined
    signal: AbortSignal
  },
): AsyncGenerator<{ readonly type: string; readonly records: RecordAsOf[] }> {
  const { tenant, owner, types, asOf } = selection
  const query = `select ${columns}, type from record
    where tenant = ${text(tenant)} and owner = ${text(owner)} and type = any (${textArray(types)})
      and ${validAt(asOf)} ${updatedWithin(selection)}
    order by array_position(${textArray(types)}, type), id`
  for await (const rows of copyRows(pool, query, selection.signal)) {
    const runs = new Map<string, RecordAsOf[]>()
    for (const row of rows) {
      const type = row.text(row.length - 1)
      const run = runs.get(type) ?? []
      run.push(recordOf(row))
      runs.set(type, run)
    }
    for (const [type, records] of runs) yield { type, records }
  }
}

/**
 * The records with the given ids as of a time, whoever owns them; each once, in order of id. Each is looked up by its key: for many at once the
 * planner may go through all of a tenant's records.
 */
export async function* recordsWithIds(
  pool: Pool,
  selection: { tenant: string; type: string; ids: readonly string[]; asOf: number; signal?: AbortSignal },
): AsyncGenerator<RecordAsOf[]> {
  const { tenant, type, ids, asOf } = selection
  const lead = `tenant = ${text(tenant)} and type = ${text(type)} and id = wanted.id
      and lead and not deleted and written <= ${instant(asOf)}`
  yield* batches(
    pool,
    `select r.* from (select distinct unnest(${textArray(ids)}) as id) as wanted cross join lateral (
       (select ${columns} from record where ${lead} and superseded = 'infinity' offset 0)
       union all
       (select ${columns} from record where ${lead} and superseded > ${instant(asOf)} and superseded < 'infinity' offset 0)) r
     order by r.id`,
    selection.signal,
  )
}

async function* batches(pool: Pool, query: string, signal?: AbortSignal): AsyncGenerator<RecordAsOf[]> {
  for await (const rows of copyRows(pool, query, signal)) yield rows.map(recordOf)
}

/** @param row begins with `columns` */
const recordOf = (row: CopyRow): RecordAsOf => ({
  owner: row.text(0),
  id: row.text(1),
  shared: row.flag(2),
  refs: row.text(3),
  targets: row.text(4),
  updated: row.instant(5),
  body: row.binary(6),
})
