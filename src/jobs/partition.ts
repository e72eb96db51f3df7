import type { ClientBase, Pool } from 'pg'
import type { PlannedPartition } from '../protocol/plan/planned-partitions.ts'
import { packIds, unpackIds } from './packed-text.ts'
import { isMending, isPlanned } from './state-conditions.ts'

/**
 * A partition that a worker holds. `attempt` fences it: only the latest attempt can publish. `tries` are those of this run: files that are
 * made again have a run of their own (`again`), of a job that is completed.
 */
export interface Partition {
  readonly job: string
  readonly number: number
  readonly kind: 'owners' | 'references'
  readonly owners: readonly string[]
  readonly attempt: number
  readonly tries: number
  readonly again: boolean
}

/** SQL: the job `$1` has work to do on its partitions, its own or files to make again. */
const isAtWork = `exists (
  select from job where id = $1 and (${isPlanned} or ${isMending}))`

/** A partition as its row is to be: its owners are compressed. */
export interface PackedPartition {
  readonly owners: Buffer
  readonly records: number
}

/** Compresses the owners of partitions, before the transaction that writes them. */
export const packPartitions = (planned: readonly PlannedPartition[]): Promise<PackedPartition[]> =>
  Promise.all(planned.map(async ({ owners, records }) => ({ owners: await packIds(owners), records })))

/** Writes the partitions of a job, numbered from `first`. */
export async function insertPartitions(
  client: ClientBase,
  job: string,
  kind: Partition['kind'],
  partitions: readonly PackedPartition[],
  first: number,
): Promise<number[]> {
  const numbers = partitions.map((_, index) => first + index)
  for (const [index, { owners, records }] of partitions.entries()) {
    await client.query(
      `insert into partition (job, number, kind, owners_packed, state, planned) values ($1, $2, $3, $4, 'waiting', $5)`,
      [job, numbers[index], kind, owners, records],
    )
  }
  return numbers
}

/** Takes a waiting partition for a worker; undefined when it is not waiting any more. */
export async function claimPartition(
  pool: Pool,
  job: string,
  number: number,
  worker: number,
): Promise<Partition | undefined> {
  const { rows } = await pool.query<Omit<Partition, 'owners'> & { packed: Buffer }>(
    `update partition set state = 'running', attempt = attempt + 1, worker = $3, scanned = 0, claimed = clock_timestamp()
     where job = $1 and number = $2 and state = 'waiting'
       and ${isAtWork}
     returning job, number, kind, owners_packed as packed, attempt, attempt - spent as tries, mends > 0 as again`,
    [job, number, worker],
  )
  const [claimed] = rows
  if (claimed === undefined) return undefined
  const { packed, ...partition } = claimed
  return { ...partition, owners: await unpackIds(packed) }
}

/** The owners of all partitions of a job. Where patients are listed they are no more than may be listed. */
export async function exportedOwners(pool: Pool, job: string): Promise<ReadonlySet<string>> {
  const sql = `select owners_packed as packed from partition where job = $1 and kind = 'owners'`
  const { rows } = await pool.query<{ packed: Buffer }>(sql, [job])
  const owners = await Promise.all(rows.map(({ packed }) => unpackIds(packed)))
  return new Set(owners.flat())
}

/** Records progress of a held partition. False: it is held no longer (cancelled, or rescued), so stop now. */
export async function beatPartition(pool: Pool, held: Partition, scanned: number): Promise<boolean> {
  const { rowCount } = await pool.query(
    `update partition set scanned = $4
     where job = $1 and number = $2 and attempt = $3 and state = 'running'
       and ${isAtWork}`,
    [held.job, held.number, held.attempt, scanned],
  )
  return rowCount === 1
}

/** Marks a held partition done. False: this attempt holds it no longer, and nothing of it may be published. */
export async function finishPartition(client: ClientBase, held: Partition, scanned: number): Promise<boolean> {
  const { rowCount } = await client.query(
    `update partition set state = 'done', worker = null, scanned = $4
     where job = $1 and number = $2 and attempt = $3 and state = 'running'`,
    [held.job, held.number, held.attempt, scanned],
  )
  return rowCount === 1
}

/**
 * Gives a held partition back, to be tried again after some seconds.
 * @param counts this was one of the tries that the partition has
 * @returns false: this attempt holds it no longer
 */
export async function releasePartition(
  client: ClientBase | Pool,
  held: Partition,
  seconds: number,
  counts = true,
): Promise<boolean> {
  const { rowCount } = await client.query(
    `update partition set state = 'waiting', worker = null, scanned = 0, due = now() + $4 * interval '1 second', spent = spent + $5
     where job = $1 and number = $2 and attempt = $3 and state = 'running'`,
    [held.job, held.number, held.attempt, seconds, counts ? 0 : 1],
  )
  return rowCount === 1
}

/** How many partitions a job has, and how many of them are done. */
export async function countPartitions(client: ClientBase, job: string): Promise<{ all: number; done: number }> {
  const sql = `select count(*)::int as all, (count(*) filter (where state = 'done'))::int as done from partition where job = $1`
  const { rows } = await client.query<{ all: number; done: number }>(sql, [job])
  return rows[0]!
}
