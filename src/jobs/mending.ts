import type { ClientBase, Pool } from 'pg'
import { transaction } from '../database/transaction.ts'
import { partitionMendsMax } from '../protocol/limits.ts'
import { type Ending, endJobs } from './audited-ending.ts'
import { type Part, partColumns } from './part.ts'
import type { StoredPart } from './published-file.ts'
import type { Enqueue } from './queue.ts'
import { isMending } from './state-conditions.ts'

/** What comes of a file that was found damaged: it is made again, was made again meanwhile, its job has failed, or is deleted. */
export type Mending = 'begun' | 'done' | 'failed' | 'gone'

/** The text of a job one of whose files is damaged for good. */
export const beyondMending = {
  changed: 'A stored file was damaged, and the records that it held are not kept any more as they were.',
  again: `Stored files of one part were damaged more than ${partitionMendsMax} times.`,
  attempts: 'A stored file was damaged, and making it again failed again and again.',
} as const

/**
 * Has the partition of a damaged part run again. `part` is what was opened: where its row names another path by now, that is to be asked
 * for first.
 */
export function askMending(
  pool: Pool,
  enqueue: Enqueue,
  job: string,
  { id, path, partition }: Pick<StoredPart, 'id' | 'path' | 'partition'>,
): Promise<Mending> {
  return transaction(pool, async (client): Promise<Mending> => {
    const locked = await client.query(`select from job where id = $1 and state = 'completed' for update`, [job])
    if (locked.rowCount === 0) {
      const failed = await client.query(`select from job where id = $1 and state = 'failed'`, [job])
      return failed.rowCount === 1 ? 'failed' : 'gone'
    }
    const marked = await client.query('update part set damaged = true where id = $1 and path = $2', [id, path])
    if (marked.rowCount === 0) return 'done'
    const state = await openPartition(client, job, partition)
    if (state === 'exhausted') {
      await failCompleted(client, job, beyondMending.again)
      return 'failed'
    }
    if (state === 'opened') await enqueue(client, [{ kind: 'partition', job, number: partition }])
    return 'begun'
  })
}

/** Lets a finished partition of a completed job run once more; one that is at work goes on. */
async function openPartition(client: ClientBase, job: string, number: number) {
  const opened = await client.query(
    `update partition set state = 'waiting', due = null, spent = attempt, mends = mends + 1
     where job = $1 and number = $2 and state = 'done' and mends < $3`,
    [job, number, partitionMendsMax],
  )
  if (opened.rowCount === 1) {
    await client.query('update job set mending_since = coalesce(mending_since, now()) where id = $1', [job])
    return 'opened'
  }
  const { rows } = await client.query(`select state from partition where job = $1 and number = $2`, [job, number])
  return rows[0]?.state === 'waiting' || rows[0]?.state === 'running' ? 'at work' : 'exhausted'
}

/** Locks a completed job whose files are made again, until the transaction ends. */
export async function lockMendingJob(client: ClientBase, id: string): Promise<boolean> {
  const sql = `select from job where id = $1 and ${isMending} for update`
  return (await client.query(sql, [id])).rowCount === 1
}

/** What a partition of a completed job has published, in order; nothing while the job is live. */
export async function publishedParts(pool: Pool, job: string, partition: number): Promise<Part[]> {
  const { rows } = await pool.query<Part>(
    `select ${partColumns} from part join job on job.id = part.job
     where part.job = $1 and partition = $2 and job.state = 'completed' order by number`,
    [job, partition],
  )
  return rows
}

/** Puts files that were made again in place of those that were published: they have the same ids, and the same lines. */
export async function replaceParts(client: ClientBase, job: string, ids: readonly string[], made: readonly Part[]) {
  for (const [index, { path, gzipBytes, gzipCrc }] of made.entries()) {
    await client.query(
      `update part set path = $2, gzip_bytes = $3, gzip_crc = $4, edition = edition + 1, damaged = false where id = $1`,
      [ids[index], path, gzipBytes, gzipCrc],
    )
  }
  await client.query(
    `update job set mended = now(),
       mending_since = case when exists (select from partition where job = $1 and state <> 'done') then mending_since end
     where id = $1`,
    [job],
  )
}

/** Fails a completed job: a file of it is lost. Undefined: it is completed no more. */
export async function failCompleted(
  client: ClientBase | Pool,
  id: string,
  failure: string,
): Promise<Ending | undefined> {
  const ending = `update job set state = 'failed', failure = $2, finished = now() where id = $1 and state = 'completed'`
  return (await endJobs(client, ending, 'export', 'failed', [id, failure]))[0]
}
