import type { Pool } from 'pg'
import { transaction } from '../database/transaction.ts'
import type { PlannedPartition } from '../protocol/plan/planned-partitions.ts'
import { insertPartitions, packPartitions } from './partition.ts'

/** Locks a job that a planner still holds: nobody else plans it until the transaction ends. */
const heldSql = `select from job where id = $1 and state = 'accepted' and planner = $2 for update`

/** Removes what an earlier planner of an accepted job has left. False: this planner holds the job no longer. */
export function forgetPlanned(pool: Pool, job: string, worker: number): Promise<boolean> {
  return transaction(pool, async (client) => {
    if ((await client.query(heldSql, [job, worker])).rowCount === 0) return false
    await client.query('delete from partition where job = $1', [job])
    return true
  })
}

/** Writes partitions of an accepted job before all are known, numbered from `first`. False: this planner holds the job no longer. */
export async function addPlanned(
  pool: Pool,
  job: string,
  worker: number,
  partitions: readonly PlannedPartition[],
  first: number,
): Promise<boolean> {
  const packed = await packPartitions(partitions)
  return transaction(pool, async (client) => {
    if ((await client.query(heldSql, [job, worker])).rowCount === 0) return false
    await insertPartitions(client, job, 'owners', packed, first)
    return true
  })
}
