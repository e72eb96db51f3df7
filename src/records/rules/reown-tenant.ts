import type { ClientBase, Pool } from 'pg'
import { ownershipRules } from '../../fhir/ownership.ts'
import { furtherOwners, keyOf } from '../current.ts'
import { type Draft, draftOfStored } from '../draft.ts'
import type { Change } from '../write/change.ts'
import { write } from '../write/write.ts'

/** How far a tenant's records are under the rules. */
export interface Reowned {
  readonly tenant: string
  /** Current records that were looked at, and those of them that got other owners or references. */
  readonly looked: number
  readonly placed: number
}

interface Place {
  readonly after_type: string
  readonly after_id: string
  readonly done: boolean
}

const beginSql = `
  insert into ruled_tenant as r (tenant, rules) values ($1, $2)
  on conflict (tenant) do update set (rules, after_type, after_id, looked, placed, done) = (excluded.rules, '', '', 0, 0, false)
  where r.rules <> excluded.rules`
const placeSql = 'select after_type, after_id, done from ruled_tenant where tenant = $1'

/** Records that are looked at together, and what their texts weigh at most, but for the first. */
export const pageRecordsMax = 500
export const pageBytesMax = 4 * 1024 * 1024

const keysSql = `
  select type, id, octet_length(body) as bytes from record
  where tenant = $1 and lead and superseded = 'infinity' and (type, id) > ($2, $3) and not deleted
  order by type, id limit ${pageRecordsMax}`

const recordsSql = `
  select r.* from unnest($2::text[], $3::text[]) as k(type, id)
  cross join lateral (
    select type, id, version, owner, shared, refs, targets, body from record
    where tenant = $1 and type = k.type and id = k.id and lead and superseded = 'infinity' and not deleted offset 0) r`

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

/**
 * Puts the current records of a tenant under the rules of this program, page after page in the order of their keys, each page in a transaction
 * that notes how far it came: who is broken off goes on there. A record whose owners or references are others now is placed anew: its
 * version, time and text stay, and exports as of an earlier time find what they found.
 * @returns what has been done after each page
 */
export async function* reownTenant(pool: Pool, tenant: string, bases: readonly string[]): AsyncGenerator<Reowned> {
  await pool.query(beginSql, [tenant, ownershipRules])
  for (;;) {
    const place = (await pool.query<Place>(placeSql, [tenant])).rows[0]
    if (place === undefined || place.done) return
    const { rows } = await pool.query<{ type: string; id: string; bytes: number }>(keysSql, [
      tenant,
      place.after_type,
      place.after_id,
    ])
    const keys = withinBytes(rows)
    const changes = await changesOf(pool, tenant, keys, bases)
    let reowned: Reowned | undefined
    const note = async (client: ClientBase | Pool) => {
      reowned = await notePlace(client, tenant, keys.at(-1), keys.length, changes.length)
    }
    if (changes.length === 0) await note(pool)
    else await write(pool, tenant, changes, { deferred: true, beforeCommit: note })
    yield reowned!
  }
}

function withinBytes<Key extends { readonly bytes: number }>(keys: readonly Key[]): readonly Key[] {
  let bytes = 0
  const end = keys.findIndex((key, index) => {
    bytes += key.bytes
    return bytes > pageBytesMax && index > 0
  })
  return end < 0 ? keys : keys.slice(0, end)
}

async function notePlace(
  client: ClientBase | Pool,
  tenant: string,
  last: { readonly type: string; readonly id: string } | undefined,
  looked: number,
  placed: number,
): Promise<Reowned> {
  const { rows } = await client.query<{ looked: string; placed: string }>(
    `update ruled_tenant set after_type = coalesce($2, after_type), after_id = coalesce($3, after_id), done = $2 is null,
       looked = looked + $4, placed = placed + $5
     where tenant = $1 returning looked, placed`,
    [tenant, last?.type ?? null, last?.id ?? null, looked, placed],
  )
  return { tenant, looked: Number(rows[0]!.looked), placed: Number(rows[0]!.placed) }
}

/** The records that belong to others now, or refer to others. */
async function changesOf(
  pool: Pool,
  tenant: string,
  keys: readonly { readonly type: string; readonly id: string }[],
  bases: readonly string[],
): Promise<Change[]> {
  const bound = [tenant, keys.map(({ type }) => type), keys.map(({ id }) => id)]
  const { rows } = await pool.query<StoredRecord>(recordsSql, bound)
  const further = await furtherOwners(
    pool,
    tenant,
    rows.filter(({ shared }) => shared),
  )
  return rows.flatMap((row): Change[] => {
    const draft = draftOfStored(row.body, row.type, row.id, bases)
    const owners = [row.owner, ...(further.get(keyOf(row)) ?? [])]
    return draft === undefined || isAsStored(draft, row, owners) ? [] : [{ kind: 'put', draft, again: row.version }]
  })
}

/** Whose a Provenance is its targets decide, which place it anew when they are. */
const isAsStored = (draft: Draft, { refs, targets }: StoredRecord, owners: readonly string[]): boolean =>
  draft.refs.join(' ') === refs &&
  draft.targets.join(' ') === targets &&
  (draft.owners === undefined || draft.owners.join(' ') === owners.join(' '))
