import type { ClientBase, Pool } from 'pg'
import { ownersOfTenant } from '../owners.ts'
import { typesOfOwner } from '../types-of-owner.ts'
import { absenceType } from './absence-pack.ts'

/** Whose packs are to be made anew. */
export interface PackChange {
  readonly owner: string
  readonly type: string
}

/**
 * Notes that packs are to be made, and drops those that there are. A writer calls it in its transaction, after it has
 * written; whoever finds a pack that lies calls it, so that it is made again.
 */
export async function dropPacks(
  client: ClientBase | Pool,
  tenant: string,
  changes: readonly PackChange[],
): Promise<void> {
  if (changes.length === 0) return
  await client.query('select drop_packs($1, $2, $3)', [
    tenant,
    changes.map(({ owner }) => owner),
    changes.map(({ type }) => type),
  ])
}

/** Owners whose packs are dropped together. */
const droppedOwnersMax = 50

const toBePackedSql = `
  select o.owner, type from unnest($2::text[]) as o(owner) cross join lateral ${typesOfOwner('$1', 'o.owner')} as type
  union select owner, type from pack where tenant = $1 and owner = any ($2)`

/** Drops all packs of a tenant, so that they are made again. Few owners at a time: writers of theirs wait no longer than for them. */
export async function dropAllPacks(pool: Pool, tenant: string): Promise<void> {
  for await (const owners of ownersOfTenant(pool, tenant)) {
    for (let start = 0; start < owners.length; start += droppedOwnersMax) {
      const some = owners.slice(start, start + droppedOwnersMax)
      const { rows } = await pool.query<PackChange>(toBePackedSql, [tenant, some])
      await dropPacks(pool, tenant, [...rows, ...some.map((owner) => ({ owner, type: absenceType }))])
    }
  }
}
