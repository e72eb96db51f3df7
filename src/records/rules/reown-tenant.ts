import type { ClientBase, Pool } from 'pg'
import { furtherOwners, keyOf } from '../current.ts'
import { type Draft, draftOfStored } from '../draft.ts'
import type { Put } from '../write/change.ts'
import { write } from '../write/write.ts'
import { renewedDraft, type StoredRelations } from './renewed-draft.ts'

/** How far a tenant's records are under the rules. */
export interface Reowned {
  readonly tenant: string
  /** Current records that were looked at, and those of them that got other owners or references. */
  readonly looked: number
  readonly placed: number
}

const placeSql = 'select after_type as type, after_id as id from outdated_tenant where tenant = $1'

/** Records that are looked at together, and what their texts weigh at most, but for the first; so do the rows that are written together. */
export const pageRecordsMax = 500
export const pageBytesMax = 4 * 1024 * 1024

const keysSql = `
  select type, id, octet_length(body) as bytes from record
  where tenant = $1 and lead and superseded = 'infinity' and (type, id) > ($2, $3) and not deleted
  order by type, id limit ${pageRecordsMax}`

const recordsSql = `
  select r.*, k.number from unnest($2::text[], $3::text[]) with ordinality as k(type, id, number)
  cross join lateral (
    select type, id, version, owner, shared, refs, targets, body from record
    where tenant = $1 and type = k.type and id = k.id and lead and superseded = 'infinity' and not deleted offset 0) r
  order by k.number`

interface StoredRecord {
  readonly type: string
  readonly id: string
  readonly version: number
  readonly owner: string
  readonly shared: boolean
  readonly refs: string
  readonly targets: string
  readonly body: string
}

interface RecordKey {
  readonly type: string
  readonly id: string
}

/** Records that are looked at together, in the order of their keys. */
interface Page {
  readonly keys: readonly RecordKey[]
  readonly changes: readonly Put[]
}

/**
 * Puts the current records of a tenant under the rules of this program, page after page in the order of their keys, each page in a transaction
 * that notes how far it came: who is broken off goes on there. A record that has other owners or references now is placed anew: its
 * version, time and text stay, and exports as of an earlier time find what they found. At last the tenant is outdated no more.
 * @returns what has been done after each page
 */
export async function* reownTenant(pool: Pool, tenant: string, bases: readonly string[]): AsyncGenerator<Reowned> {
  for (;;) {
    const place = (await pool.query<RecordKey>(placeSql, [tenant])).rows[0]
    if (place === undefined) return
    const { keys, changes } = await readPage(pool, tenant, place, bases)
    let reowned: Reowned | undefined
    const note = async (client: ClientBase | Pool) => {
      reowned = await notePlace(client, tenant, keys, changes.length)
    }
    if (changes.length === 0) await note(pool)
    else await write(pool, tenant, changes, { deferred: true, beforeCommit: note })
    yield reowned!
  }
}

async function readPage(pool: Pool, tenant: string, after: RecordKey, bases: readonly string[]): Promise<Page> {
  const found = await pool.query<RecordKey & { bytes: number }>(keysSql, [tenant, after.type, after.id])
  const keys = withinBytes(found.rows, ({ bytes }) => bytes)
  const changes = withinBytes(await changesOf(pool, tenant, keys.kept, bases), rowBytes)
  const { left } = changes
  if (left === undefined) return { keys: keys.kept, changes: changes.kept }
  const end = keys.kept.findIndex(({ type, id }) => type === left.draft.type && id === left.draft.id)
  return { keys: keys.kept.slice(0, end), changes: changes.kept }
}

/** The first items that weigh no more than a page, or the first alone, and which is the first that is left. */
function withinBytes<Item>(
  items: readonly Item[],
  bytesOf: (item: Item) => number,
): { readonly kept: readonly Item[]; readonly left: Item | undefined } {
  let bytes = 0
  const end = items.findIndex((item, index) => {
    bytes += bytesOf(item)
    return bytes > pageBytesMax && index > 0
  })
  return end < 0 ? { kept: items, left: undefined } : { kept: items.slice(0, end), left: items[end] }
}

/** What the texts of a change's rows take. A Provenance has about as many owners as targets. */
const rowBytes = ({ draft: { owners, targets, text } }: Put): number =>
  text.bytes.length * Math.max(owners?.length ?? targets.length, 1)

const goOnSql = `
  update outdated_tenant set after_type = $4, after_id = $5, looked = looked + $2, placed = placed + $3
  where tenant = $1 returning looked, placed`
const endSql = 'delete from outdated_tenant where tenant = $1 returning looked + $2 as looked, placed + $3 as placed'

async function notePlace(
  client: ClientBase | Pool,
  tenant: string,
  keys: readonly RecordKey[],
  placed: number,
): Promise<Reowned> {
  const last = keys.at(-1)
  const bound = [tenant, keys.length, placed, ...(last ? [last.type, last.id] : [])]
  const { rows } = await client.query<{ looked: string; placed: string }>(last ? goOnSql : endSql, bound)
  return { tenant, looked: Number(rows[0]!.looked), placed: Number(rows[0]!.placed) }
}

/** The records that have other owners now, or other references. */
async function changesOf(
  pool: Pool,
  tenant: string,
  keys: readonly RecordKey[],
  bases: readonly string[],
): Promise<Put[]> {
  const bound = [tenant, keys.map(({ type }) => type), keys.map(({ id }) => id)]
  const { rows } = await pool.query<StoredRecord>(recordsSql, bound)
  const shared = rows.filter((row) => row.shared)
  const further = await furtherOwners(pool, tenant, shared)
  return rows.flatMap((row): Put[] => {
    const stored = {
      owners: [row.owner, ...(further.get(keyOf(row)) ?? [])],
      refs: listOf(row.refs),
      targets: listOf(row.targets),
    }
    const draft = renewedDraft(draftOfStored(row.body, row.type, row.id, bases), stored)
    return isAsStored(draft, stored) ? [] : [{ kind: 'put', draft, again: row.version }]
  })
}

const listOf = (text: string): string[] => (text === '' ? [] : text.split(' '))

/** Whose a Provenance is its targets decide, which place it anew when they are. */
const isAsStored = ({ owners, refs, targets }: Draft, stored: StoredRelations): boolean =>
  isSame(refs, stored.refs) &&
  isSame(targets, stored.targets) &&
  (owners === undefined || isSame(owners, stored.owners))

const isSame = (some: readonly string[], others: readonly string[]): boolean => some.join(' ') === others.join(' ')
