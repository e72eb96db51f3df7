import type { ClientBase } from 'pg'
import type { Pack } from './pack.ts'
import { packedTypes } from './packed-types.ts'

/**
 * Beside its packs an owner has one *of no type*. It holds no records but tells of absence: it names the types of which there are none, no
 * version, not even a deleted one. They have no packs, and nobody looks for them. This stands where other packs and marks have their type.
 */
export const absenceType = ''

/** An owner's pack of no type: these types are absent. */
export const absencePack = (owner: string, absent: readonly string[]): Pack => ({
  ...{ owner, type: absenceType, number: 0, total: 1 },
  ...{ records: 0, bytes: 0, crc: 0, blocks: Buffer.alloc(0) },
  changed: Number.NEGATIVE_INFINITY,
  oldest: Number.POSITIVE_INFINITY,
  newest: Number.NEGATIVE_INFINITY,
  ...{ refs: Buffer.alloc(0), shared: '', targets: '', slice: '', columns: undefined },
  absent: absent.join(' '),
})

/** The types that an owner's pack of no type names. */
export const absentTypes = ({ absent }: Pack): readonly string[] => (absent === '' ? [] : absent.split(' '))

// A type that has packs or a mark may get its first version from a writer who takes those away, and leaves the pack of no type alone.
const absentSql = `
  select o.owner, array(
    select t.type from unnest($3::text[]) as t(type)
    where t.type <> all (known.types)
      and not exists (select from record where tenant = $1 and owner = o.owner and type = t.type offset 0)) as absent
  from unnest($2::text[]) as o(owner)
  cross join lateral (
    select array(
      select type from pack where tenant = $1 and owner = o.owner
      union all select type from unpacked where tenant = $1 and owner = o.owner) as types offset 0) known`

/**
 * Makes the packs of no type.
 * @param client has taken the owners' marks of no type in its transaction; other marks that it has taken do not count
 */
export async function absencePacks(client: ClientBase, tenant: string, owners: readonly string[]): Promise<Pack[]> {
  if (owners.length === 0) return []
  const { rows } = await client.query<{ owner: string; absent: string[] }>(absentSql, [tenant, owners, packedTypes])
  return rows.map(({ owner, absent }) => absencePack(owner, absent))
}
