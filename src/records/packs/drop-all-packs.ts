import type { Pool } from 'pg'
import { ownersOfTenant } from '../owners.ts'
import { absenceType } from './absence-pack.ts'
import { packedTypes } from './packed-types.ts'
import { dropPacks, type PackChange } from './stored-packs.ts'

/** Owners whose packs are dropped together. */
const droppedOwnersMax = 50

const toBePackedSql = `
  select owner, type from record where tenant = $1 and owner = any ($2) and type = any ($3)
  union select owner, type from pack where tenant = $1 and owner = any ($2)`

/** Drops all packs of a tenant, so that they are made again. Few owners at a time: writers of theirs wait no longer than for them. */
export async function dropAllPacks(pool: Pool, tenant: string): Promise<void> {
  for await (const owners of ownersOfTenant(pool, tenant)) {
    for (let start = 0; start < owners.length; start += droppedOwnersMax) {
      const some = owners.slice(start, start + droppedOwnersMax)
      const { rows } = await pool.query<PackChange>(toBePackedSql, [tenant, some, packedTypes])
      await dropPacks(pool, tenant, [...rows, ...some.map((owner) => ({ owner, type: absenceType }))])
    }
  }
}
