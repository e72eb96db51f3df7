import type { ClientBase } from 'pg'
import { typesOfOwner } from '../types-of-owner.ts'
import type { Pack } from './pack.ts'

/**
 * Beside its packs an owner has one *of no type*. It holds no records but tells of absence: it names the types of which there may be some,
 * and of the many others there are none, no version, not even a deleted one. They have no packs, and nobody looks for them. This stands
 * where other packs and marks have their type.
 */
export const absenceType = ''

/** An owner's pack of no type: all types but these are absent. */
export const absencePack = (owner: string, present: readonly string[]): Pack => ({
  ...{ owner, type: absenceType, number: 0, total: 1 },
  ...{ records: 0, bytes: 0, crc: 0, blocks: Buffer.alloc(0) },
  changed: Number.NEGATIVE_INFINITY,
  oldest: Number.POSITIVE_INFINITY,
  newest: Number.NEGATIVE_INFINITY,
  ...{ refs: Buffer.alloc(0), shared: '', targets: '', slice: '', columns: undefined },
  present: present.join(' '),
})

/** The types that an owner's pack of no type names. */
export const presentTypes = ({ present }: Pack): readonly string[] => (present === '' ? [] : present.split(' '))

// A type that has packs or a mark may get its first version from a writer who takes those away, and leaves the pack of no type alone.
const presentSql = `
  select o.owner, array(
    select type from pack where tenant = $1 and owner = o.owner and type <> ''
    union select type from unpacked where tenant = $1 and owner = o.owner and type <> ''
    union select type from ${typesOfOwner('$1', 'o.owner')} as type
    order by type) as present
  from unnest($2::text[]) as o(owner)`

/**
 * Makes the packs of no type.
 * @param client has taken the owners' marks of no type in its transaction; other marks that it has taken do not count
 */
export async function absencePacks(client: ClientBase, tenant: string, owners: readonly string[]): Promise<Pack[]> {
  if (owners.length === 0) return []
  const { rows } = await client.query<{ owner: string; present: string[] }>(presentSql, [tenant, owners])
  return rows.map(({ owner, present }) => absencePack(owner, present))
}
