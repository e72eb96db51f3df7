import type { ClientBase } from 'pg'
import { isCrowd, nobody } from '../../fhir/ownership.ts'
import { type ResourceText, storedText } from '../../fhir/resource-text.ts'
import { type Current, furtherOwners, type Key, keyOf } from '../current.ts'

/**
 * A Provenance belongs to the owners of its targets. Its targets may be written after it or move to another patient, so a write
 * of a target may have to place a Provenance anew. All of this is looked up here; `ownership.ts` asks for it.
 */

// Keys go as one text, blank-separated: for thousands of them arrays take longer to write and to read than to look up.
const targetOwnersSql = `
  select r.* from unnest(string_to_array($2, ' '), string_to_array($3, ' ')) as k(type, id)
  cross join lateral (
    select type, id, owner, shared from record
    where tenant = $1 and type = k.type and id = k.id and lead and superseded = 'infinity'
    offset 0) r`

/** The owners of the targets (`Type/id`) that are in the store or in `known`; a missing one has no entry. */
export async function ownersOfTargets(
  client: ClientBase,
  tenant: string,
  targets: Iterable<string>,
  known: ReadonlyMap<string, readonly string[]>,
): Promise<Map<string, readonly string[]>> {
  const owners = new Map<string, readonly string[]>()
  const wanted: string[] = []
  for (const target of new Set(targets)) {
    const found = target.startsWith('Patient/') ? [target.slice(8)] : known.get(target)
    if (found === undefined) wanted.push(target)
    else owners.set(target, found)
  }
  if (wanted.length > 0) {
    const split = wanted.map((target) => target.split('/') as [string, string])
    const { rows } = await client.query<Key & { owner: string; shared: boolean }>(targetOwnersSql, [
      tenant,
      split.map(([type]) => type).join(' '),
      split.map(([, id]) => id).join(' '),
    ])
    const further = await furtherOwners(
      client,
      tenant,
      rows.filter(({ shared }) => shared),
    )
    for (const row of rows) owners.set(keyOf(row), [row.owner, ...(further.get(keyOf(row)) ?? [])])
  }
  return owners
}

/** Whose a Provenance is. */
export interface ProvenanceOwners {
  /** Distinct, in order, `['']` when none of its targets has one. */
  readonly owners: readonly string[]
  readonly isCrowded: boolean
}

/** Whether a Provenance would have more owners than one of records of one patient each can have, and these are a crowd. */
export const isCrowdOfTargets = (owners: number, targets: number, textBytes: number): boolean =>
  owners > targets && isCrowd('Provenance', owners, textBytes)

/**
 * The owners of the targets of a Provenance. Where they are a crowd, because some of its targets have several, those targets do not count.
 * @param textBytes of the Provenance
 */
export function provenanceOwners(
  targets: readonly string[],
  owners: ReadonlyMap<string, readonly string[]>,
  textBytes: number,
): ProvenanceOwners {
  const all = distinctOwners(targets, owners)
  if (!isCrowdOfTargets(all.length, targets.length, textBytes)) return { owners: all, isCrowded: false }
  const single = targets.filter((target) => owners.get(target)?.length === 1)
  return { owners: distinctOwners(single, owners), isCrowded: true }
}

function distinctOwners(targets: readonly string[], owners: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const found = new Set<string>()
  for (const target of targets) for (const owner of owners.get(target) ?? []) if (owner !== '') found.add(owner)
  return found.size === 0 ? nobody : [...found].sort()
}

const anyAwaitedSql = 'select exists (select from awaited_target where tenant = $1) as any'

/** Whether a tenant has Provenances that wait for their targets. */
export const isAnyAwaited = async (client: ClientBase, tenant: string): Promise<boolean> =>
  (await client.query<{ any: boolean }>(anyAwaitedSql, [tenant])).rows[0]!.any

const awaitedSql = `
  select distinct a.id from unnest($2::text[], $3::text[]) as k(type, id)
  cross join lateral (
    select provenance as id from awaited_target where tenant = $1 and type = k.type and id = k.id
    offset 0) a`

const ofFormerOwnerSql = `
  select distinct r.id from unnest($2::text[], $3::text[]) as moved(owner, target)
  cross join lateral (
    select id from record
    where tenant = $1 and owner = moved.owner and type = 'Provenance' and superseded = 'infinity'
      and moved.target = any (string_to_array(targets, ' '))
    offset 0) r`

/** The ids of stored Provenances whose owners change because `arrived` records got an owner or `moved` ones left theirs. */
export async function provenancesToPlace(
  client: ClientBase,
  tenant: string,
  arrived: readonly Key[],
  moved: readonly (Key & { readonly formerOwner: string })[],
): Promise<string[]> {
  const ids = new Set<string>()
  const changed = [...arrived, ...moved]
  if (changed.length > 0 && (await isAnyAwaited(client, tenant))) {
    const { rows } = await client.query(awaitedSql, [
      tenant,
      changed.map((key) => key.type),
      changed.map((key) => key.id),
    ])
    for (const row of rows) ids.add(row.id)
  }
  if (moved.length > 0) {
    const owners = moved.map((move) => move.formerOwner)
    const { rows } = await client.query(ofFormerOwnerSql, [tenant, owners, moved.map(keyOf)])
    for (const row of rows) ids.add(row.id)
  }
  return [...ids]
}

/** A stored Provenance that needs other owners; its version, time and text stay. */
export interface StoredProvenance {
  readonly id: string
  readonly version: number
  readonly updated: Date
  readonly refs: string
  readonly targets: string
  readonly digest: Buffer
  /** null when it was deleted meanwhile: `supersede` will notice. */
  readonly text: ResourceText | null
}

/** The targets of a stored Provenance, which are kept as one text. */
export const targetsOf = ({ targets }: StoredProvenance): string[] => (targets === '' ? [] : targets.split(' '))

const storedSql = `
  select id, version, updated, refs, targets, digest, body
  from record
  where tenant = $1 and type = 'Provenance' and id = any ($2) and lead and superseded = 'infinity'`

export async function storedProvenances(
  client: ClientBase,
  tenant: string,
  current: ReadonlyMap<string, Current>,
): Promise<StoredProvenance[]> {
  const ids = [...current.values()].filter((row) => !row.deleted).map((row) => row.id)
  if (ids.length === 0) return []
  const { rows } = await client.query<Omit<StoredProvenance, 'text'> & { body: string | null }>(storedSql, [
    tenant,
    ids,
  ])
  return rows.map(({ body, ...row }) => ({ ...row, text: body === null ? null : storedText(body) }))
}

/** Remembers targets of Provenances that are not in the store, belong to nobody, or do not count for they are several patients': other owners of theirs decide. */
export async function rememberAwaited(
  client: ClientBase,
  tenant: string,
  awaited: readonly { provenance: string; target: string }[],
): Promise<void> {
  if (awaited.length === 0) return
  const split = awaited.map(({ target }) => target.split('/') as [string, string])
  await client.query(
    `insert into awaited_target (tenant, type, id, provenance)
     select $1, * from unnest($2::text[], $3::text[], $4::text[]) on conflict do nothing`,
    [tenant, split.map(([type]) => type), split.map(([, id]) => id), awaited.map(({ provenance }) => provenance)],
  )
}

/** Forgets what Provenances waited for that are gone, or have a later version. */
export async function forgetWaiting(client: ClientBase, tenant: string, provenances: readonly string[]): Promise<void> {
  if (provenances.length === 0) return
  await client.query('delete from awaited_target where tenant = $1 and provenance = any ($2)', [tenant, provenances])
}

/** Forgets the awaited targets that have arrived. */
export async function forgetAwaited(client: ClientBase, tenant: string, arrived: readonly Key[]): Promise<void> {
  await client.query(
    `delete from awaited_target a using unnest($2::text[], $3::text[]) as k(type, id)
     where a.tenant = $1 and a.type = k.type and a.id = k.id`,
    [tenant, arrived.map((key) => key.type), arrived.map((key) => key.id)],
  )
}
