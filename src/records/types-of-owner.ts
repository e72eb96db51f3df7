import type { Pool } from 'pg'

/** SQL that names the types of which an owner has or had records, one by one along the index: what it takes does not grow with all that there are. */
export const typesOfOwner = (tenant: string, owner: string): string => `types_of_owner(${tenant}, ${owner})`

const typesSql = `
  select o.owner, array(select type from ${typesOfOwner('$1', 'o.owner')} as type) as types
  from unnest($2::text[]) as o(owner)`

/** The types of which each of some owners has or had records. */
export async function typesOfOwners(
  pool: Pool,
  tenant: string,
  owners: readonly string[],
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  if (owners.length === 0) return new Map()
  const { rows } = await pool.query<{ owner: string; types: string[] }>(typesSql, [tenant, owners])
  return new Map(rows.map(({ owner, types }) => [owner, new Set(types)]))
}
