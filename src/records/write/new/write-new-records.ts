import type { ClientBase, Pool } from 'pg'
import { copyEncoded } from '../../copy/copy-in.ts'
import { ownersIn, type WrittenRows, writtenColumns } from '../../packs/fresh/written-rows.ts'
import { isCollision, isLongWait } from '../attempts.ts'
import { beginWrite } from '../begin-write.ts'
import { isAnyAwaited, isCrowdOfTargets } from '../provenance-owners.ts'
import { type NewRecords, placesOfRow } from './new-records.ts'
import { asTheyAre, spread, stamp } from './stamps.ts'
import { ownersOfRow, type TargetsFound, targetsFound } from './targets-found.ts'

/**
 * Writes records that are probably new, in one transaction that does not wait for the disk. None is looked up: one that is there makes
 * the insert fail, by the unique index of current versions.
 * @param take gives memory for rows of so many bytes, if there are to be other ones than `records` has
 * @returns what was written; undefined when nothing was, for they are more than just new: `write` can tell
 */
export async function writeNewRecords(
  pool: Pool,
  tenant: string,
  records: NewRecords,
  take: (bytes: number) => Buffer,
): Promise<WrittenRows | undefined> {
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    const written = await insert(client, tenant, records, take)
    await client.query(written ? 'commit' : 'rollback')
    return written
  } catch (error) {
    await client.query('rollback').catch((lost) => {
      broken = lost
    })
    if (broken === undefined && (isCollision(error) || isLongWait(error))) return undefined
    broken ??= error as Error
    throw error
  } finally {
    client.release(broken)
  }
}

async function insert(
  client: ClientBase,
  tenant: string,
  records: NewRecords,
  take: (bytes: number) => Buffer,
): Promise<WrittenRows | undefined> {
  const { owned, provenances, identifiers } = records
  const written = await beginWrite(client, false, true, [])
  if (owned.owners !== '' && (await isAnyAwaited(client, tenant))) return undefined
  stamp(records, written)
  const targets = provenances && (await targetsFound(client, tenant, provenances.targets))
  if (targets?.owners.includes('')) return undefined
  if (targets && isAnyCrowded(records, targets.owners)) return undefined
  const rows = targets
    ? spread(records, (row) => ownersOfRow(provenances!, targets.owners, row), take)
    : asTheyAre(records)
  if (identifiers.ids !== '') {
    await client.query(identifiersSql, [tenant, identifiers.types, identifiers.tokens, identifiers.ids])
  }
  await copyEncoded(client, 'record', writtenColumns, rows.bytes)
  const marks = await mark(client, tenant, targets ? provenancesOf(targets) : owned)
  return { tenant, ...rows, written, marks, targets: targets?.list ?? noTargets }
}

/** Whether a Provenance may have a crowd of owners, of which `write` can tell more. */
function isAnyCrowded({ provenances, places, count }: NewRecords, owners: readonly string[]): boolean {
  if (!owners.some((listed) => listed.includes(','))) return false
  const { starts } = provenances!
  for (let row = 0; row < count; row++) {
    const bytes = places[(row + 1) * placesOfRow]! - places[row * placesOfRow]!
    const targets = starts[row + 1]! - starts[row]!
    if (isCrowdOfTargets(ownersOfRow(provenances!, owners, row).length, targets, bytes)) return true
  }
  return false
}

const noTargets: WrittenRows['targets'] = { types: '', ids: '', owners: '', came: '' }

const identifiersSql = `
  insert into identifier (tenant, type, token, id)
  select $1, k.type, decode(k.token, 'hex'), k.id
  from unnest(string_to_array($2, ' '), string_to_array($3, ' '), string_to_array($4, ' ')) as k(type, token, id)
  on conflict do nothing`

const dropSql = `select drop_packs($1, string_to_array($2, ' '), string_to_array($3, ' '))`

const changesSql = `
  select string_agg(u.change::text, ' ' order by k.number) as changes
  from unnest(string_to_array($2, ' '), string_to_array($3, ' ')) with ordinality as k(owner, type, number)
  cross join lateral (
    select change from unpacked where tenant = $1 and owner = k.owner and type = k.type
    offset 0) u`

/** Drops the packs of owners and types, and gives the marks that they have from now on. */
async function mark(
  client: ClientBase,
  tenant: string,
  { owners, types }: { readonly owners: string; readonly types: string },
): Promise<WrittenRows['marks']> {
  if (owners === '') return { owners, types, changes: '' }
  await client.query(dropSql, [tenant, owners, types])
  const { rows } = await client.query<{ changes: string }>(changesSql, [tenant, owners, types])
  return { owners, types, changes: rows[0]!.changes }
}

function provenancesOf({ owners }: TargetsFound): { readonly owners: string; readonly types: string } {
  const distinct = [...new Set(owners.flatMap(ownersIn))]
  return { owners: distinct.join(' '), types: distinct.map(() => 'Provenance').join(' ') }
}
