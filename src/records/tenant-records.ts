import type { ClientBase, Pool } from 'pg'

/** Current records that are counted; a tenant may have many millions, and nobody waits for their exact number. */
export const recordsCountedMax = 1_000_000
const removedRowsMax = 20_000

/** How many current records a tenant has, up to `recordsCountedMax`. */
export async function countRecords(database: ClientBase | Pool, tenant: string): Promise<number> {
  const { rows } = await database.query<{ records: number }>(
    `select count(*)::int as records from (
       select from record where tenant = $1 and lead and superseded = 'infinity' and not deleted limit ${recordsCountedMax}) counted`,
    [tenant],
  )
  return rows[0]!.records
}

/**
 * What holds a tenant's records. Marks go before packs: a packer puts packs only under a mark that it finds unchanged, so that behind the
 * marks no packs come.
 */
const tables = ['unpacked', 'pack', 'record', 'identifier', 'awaited_target'] as const

/** Removes all versions of a tenant's records and their packs, in batches; gives how many versions there were. */
export async function removeRecords(database: ClientBase | Pool, tenant: string): Promise<number> {
  let versions = 0
  for (const table of tables) {
    const sql = `delete from ${table} where ctid in (select ctid from ${table} where tenant = $1 limit ${removedRowsMax})`
    for (let removed = -1; removed !== 0; ) {
      removed = (await database.query(sql, [tenant])).rowCount ?? 0
      if (table === 'record') versions += removed
    }
  }
  return versions
}

/**
 * Removes what is left of a tenant's records, alone: writes that are under way are waited for, and none begins before the transaction
 * ends. Call `removeRecords` before, so that this is short.
 */
export async function removeLastRecords(client: ClientBase, tenant: string): Promise<void> {
  await client.query('select stamp_write_alone()')
  for (const table of tables) await client.query(`delete from ${table} where tenant = $1`, [tenant])
}
