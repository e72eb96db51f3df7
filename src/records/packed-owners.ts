import type { Pool } from 'pg'

/** What an export must be able to do with packs, to use them. Times are milliseconds since 1970. */
export interface PackDemand {
  readonly tenant: string
  readonly types: readonly string[]
  /** Those of the types whose records may come out of packs; of the others packs only tell that nothing has changed since. */
  readonly usable: readonly string[]
  readonly asOf: number
  readonly since?: number | undefined
  /** Packs do not tell what is earlier than this: with it, none of the types is usable. */
  readonly until?: number | undefined
}

const packedSql = `
  select type, unchanged, string_agg(owner, ' ' order by owner) as owners from (
    select owner, type, bool_and(newest <= $6) as unchanged from pack
    where tenant = $1 and owner = any ($2) and type = any ($3)
    group by owner, type
    having bool_and(changed <= $5 and (newest <= $6 or (oldest > $6 and type = any ($4))))) packed
  group by type, unchanged`

/** Owners, in order, whose packs serve an export of one type. */
export interface PackedOwners {
  /** Their packs hold what is to be exported. It is a forecast: packs may go at any time. */
  readonly packed: readonly string[]
  /** They have nothing that is later than `since`. */
  readonly unchanged: readonly string[]
}

export const noPacks: PackedOwners = { packed: [], unchanged: [] }

/** The owners whose packs serve an export, by type. */
export async function packedOwners(
  pool: Pool,
  owners: readonly string[],
  { tenant, types, usable, asOf, since }: PackDemand,
): Promise<Map<string, PackedOwners>> {
  const { rows } = await pool.query<{ type: string; unchanged: boolean; owners: string }>(packedSql, [
    tenant,
    owners,
    types,
    usable,
    new Date(asOf),
    since === undefined ? '-infinity' : new Date(since),
  ])
  const found = new Map(types.map((type): [string, PackedOwners] => [type, { packed: [], unchanged: [] }]))
  for (const row of rows) {
    found.set(row.type, { ...found.get(row.type)!, [row.unchanged ? 'unchanged' : 'packed']: row.owners.split(' ') })
  }
  return found
}

const provenancesSql = `
  select distinct on (owner) owner, targets, undisputed from pack
  where tenant = $1 and owner = any ($2) and type = 'Provenance'
  order by owner, number`

/** What the Provenances of the owners are about, as their packs tell. */
export async function packedProvenances(
  pool: Pool,
  tenant: string,
  owners: readonly string[],
): Promise<{ readonly owner: string; readonly targets: string; readonly undisputed: boolean }[]> {
  return (await pool.query(provenancesSql, [tenant, owners])).rows
}
