import type { ClientBase, Pool } from 'pg'
import { transaction } from '../../database/transaction.ts'
import { absencePacks, absenceType } from './absence-pack.ts'
import type { PackedMark } from './build/pack-assembly.ts'
import { dropPacks, type PackChange } from './drop-packs.ts'
import { takeMarks } from './marks.ts'
import type { Pack } from './pack.ts'
import { insertPacks } from './stored-packs.ts'

/**
 * Puts packs into the store, those of which nothing has changed since they were read. A crash may undo it: as a whole.
 * @param packed of one tenant
 * @returns the packs that came into the store, those of no type too
 */
export async function publishPacks(
  pool: Pool,
  tenant: string,
  packed: readonly PackedMark[],
): Promise<readonly Pack[]> {
  return transaction(pool, async (client) => {
    await client.query('set local synchronous_commit = off')
    const marks = packed.map(({ mark }) => mark)
    const taken = await withoutPartial(client, tenant, packed, await takeMarks(client, tenant, marks))
    const packs = packed.flatMap((each) => each.packs)
    const named = new Set(taken.filter(({ type }) => type === absenceType).map(({ owner }) => owner))
    const kept = packsToKeep(packs, taken, named)
    await clearPacks(client, tenant, taken)
    await insertPacks(client, tenant, kept)
    const absences = await absencePacks(client, tenant, [...named])
    await insertPacks(client, tenant, absences)
    return [...kept, ...absences]
  })
}

/** Those of taken marks, but for types without versions of the owners whose pack of no type will name them. */
function packsToKeep(packs: readonly Pack[], taken: readonly PackChange[], named: ReadonlySet<string>): Pack[] {
  const takenKeys = new Set(taken.map(keyOf))
  const isNamed = ({ owner, changed }: Pack) => changed === Number.NEGATIVE_INFINITY && named.has(owner)
  return packs.filter((pack) => takenKeys.has(keyOf(pack)) && !isNamed(pack))
}

const partialSql = `
  select m.owner, m.type from unnest($2::text[], $3::text[], $4::integer[], $5::timestamptz[], $6::timestamptz[])
    as m(owner, type, rows, since, until)
  cross join lateral (
    select count(*) as rows, bool_and(superseded = 'infinity' and written between m.since and m.until) as known
    from record where tenant = $1 and owner = m.owner and type = m.type offset 0) r
  where r.rows <> m.rows or not r.known
    or m.type = 'Provenance' and exists (select from record where tenant = $1 and owner = m.owner and deleted offset 0)`

/**
 * Gives back the marks of those whose packs were made of some of their records only: the store has others. And of Provenances of an owner of
 * whom anything was ever deleted: what they are about was looked up earlier, and may have gone since.
 * @returns the other marks that were taken
 */
async function withoutPartial(
  client: ClientBase,
  tenant: string,
  packed: readonly PackedMark[],
  taken: readonly PackChange[],
): Promise<readonly PackChange[]> {
  const takenKeys = new Set(taken.map(keyOf))
  const made = packed.flatMap(({ mark, madeOf }) =>
    madeOf && takenKeys.has(keyOf(mark)) ? [{ ...mark, ...madeOf }] : [],
  )
  if (made.length === 0) return taken
  const { rows: partial } = await client.query<PackChange>(partialSql, [
    tenant,
    made.map(({ owner }) => owner),
    made.map(({ type }) => type),
    made.map(({ rows }) => rows),
    made.map(({ since }) => new Date(since)),
    made.map(({ until }) => new Date(until)),
  ])
  await dropPacks(client, tenant, partial)
  const partialKeys = new Set(partial.map(keyOf))
  return taken.filter((mark) => !partialKeys.has(keyOf(mark)))
}

const keyOf = ({ owner, type }: PackChange): string => `${owner} ${type}`

const clearSql = `
  delete from pack
  using (
    select p.ctid as row from unnest($2::text[], $3::text[]) as m(owner, type)
    cross join lateral (select ctid from pack where tenant = $1 and owner = m.owner and type = m.type offset 0) p) found
  where ctid = found.row`

/** There are none, unless somebody has changed rows by hand: then they must not stand in the way. */
async function clearPacks(client: ClientBase, tenant: string, taken: readonly PackChange[]): Promise<void> {
  await client.query(clearSql, [tenant, taken.map(({ owner }) => owner), taken.map(({ type }) => type)])
}
