import type { ClientBase, Pool } from 'pg'
import type { Issue } from '../fhir/operation-outcome.ts'
import { fileRetentionDays, mendingHoursMax } from '../protocol/limits.ts'
import type { JobState } from '../protocol/plan/job-state.ts'
import type { ExportRequest } from '../protocol/request/export-request.ts'
import { type Ending, endJobs } from './audited-ending.ts'
import { packIds, packText, unpackIds, unpackText } from './packed-text.ts'
import type { Enqueue } from './queue.ts'
import { hasEnded, isLive, isMending, isPlanned } from './state-conditions.ts'

/** An accepted export as its row tells it, without the patients and warnings, which are long and read by few. */
export interface Job {
  readonly id: string
  readonly tenant: string
  readonly client: string
  readonly state: JobState
  readonly request: Omit<ExportRequest, 'patients' | 'warnings'>
  readonly url: string
  readonly transactionTime: Date
  readonly created: Date
  readonly started: Date | null
  readonly expires: Date | null
  readonly failure: string | null
  /** The trace of the request that it came with. */
  readonly traceparent?: string | null
}

const columns = `id, tenant, client, state, request, url, transaction_time as "transactionTime",
  created, started, expires, failure, traceparent`

/** A job about to be accepted. `url` is the kick-off URL. */
export interface NewJob {
  readonly id: string
  readonly tenant: string
  readonly client: string
  readonly request: ExportRequest
  readonly url: string
  readonly traceparent?: string | undefined
}

const insertSql = `
  insert into job (id, tenant, client, state, request, url, patient_count, patients_packed, warnings_packed, traceparent,
    transaction_time)
  values ($1, $2, $3, 'accepted', $4, $5, $6, $7, $8, $9, now())
  on conflict (tenant, client) where ${isLive} do nothing`

/** A job as its row is to be: the long lists are compressed, which is not done while its transaction holds others up. */
export interface PackedJob extends Pick<Job, 'id' | 'tenant' | 'client' | 'request' | 'url'> {
  readonly traceparent?: string | undefined
  readonly patientCount: number
  readonly patients: Buffer
  readonly warnings: Buffer
}

export async function packJob(job: NewJob): Promise<PackedJob> {
  const { patients, warnings, ...request } = job.request
  const packed = { patients: await packIds(patients), warnings: await packText(JSON.stringify(warnings)) }
  return { ...job, request, patientCount: patients.length, ...packed }
}

/** How long a kick-off waits for writers that are under way. */
const cutWaitMsMax = 10_000

/** The database's word for a wait that was too long: the caller may ask again later. */
export const isLockTimeout = (error: unknown): boolean => (error as { code?: unknown }).code === '55P03'

/**
 * Accepts a job: its row, its `transactionTime` and its first task appear in one transaction.
 * @param cutTaken told how many milliseconds were waited for writers that were under way, in vain too
 * @returns false when the client has a live job in the tenant (S-5); two simultaneous calls give exactly one true
 */
export async function acceptJob(
  client: ClientBase,
  enqueue: Enqueue,
  job: PackedJob,
  cutTaken: (ms: number) => void = () => {},
): Promise<boolean> {
  await client.query(`set local lock_timeout = ${cutWaitMsMax}`)
  const { id, tenant, request, url, patientCount, patients, warnings } = job
  const values = [id, tenant, job.client, request, url, patientCount, patients, warnings, job.traceparent ?? null]
  const inserted = await client.query(insertSql, values)
  if (inserted.rowCount === 0) return false
  await enqueue(client, [{ kind: 'plan', job: job.id }])
  const began = performance.now()
  try {
    await client.query('update job set transaction_time = cut() where id = $1', [job.id])
  } finally {
    cutTaken(performance.now() - began)
  }
  return true
}

export async function findJob(pool: Pool, id: string): Promise<Job | undefined> {
  return (await pool.query<Job>(`select ${columns} from job where id = $1`, [id])).rows[0]
}

/** The client's live job in the tenant. */
export async function findLiveJob(pool: Pool, tenant: string, client: string): Promise<Job | undefined> {
  const sql = `select ${columns} from job where tenant = $1 and client = $2 and ${isLive}`
  return (await pool.query<Job>(sql, [tenant, client])).rows[0]
}

/** Whether any export is at work. */
export async function hasLiveJobs(pool: Pool): Promise<boolean> {
  const sql = `select exists (select from job where ${isLive}) as live`
  return (await pool.query<{ live: boolean }>(sql)).rows[0]!.live
}

/** The listed patients of a job that is not planned yet, or that tells deletions. */
export async function jobPatients(client: ClientBase | Pool, id: string): Promise<readonly string[]> {
  const { rows } = await client.query<{ packed: Buffer | null }>(
    'select patients_packed as packed from job where id = $1',
    [id],
  )
  return rows[0]?.packed ? unpackIds(rows[0].packed) : []
}

/** What lenient handling ignored. */
export async function jobWarnings(pool: Pool, id: string): Promise<readonly Issue[]> {
  const { rows } = await pool.query<{ packed: Buffer | null }>(
    'select warnings_packed as packed from job where id = $1',
    [id],
  )
  return rows[0]?.packed ? JSON.parse(await unpackText(rows[0].packed)) : []
}

/** Ends a job for its client, whatever its state. Its place is free at once; running workers notice at their next beat. */
export async function deleteJob(client: ClientBase | Pool, id: string): Promise<boolean> {
  const sql = `update job set state = 'deleted', finished = coalesce(finished, now()) where id = $1 and state <> 'deleted'`
  return (await client.query(sql, [id])).rowCount === 1
}

/** Fails a live job with a text for its client. Undefined: it is live no more. */
export async function failJob(client: ClientBase | Pool, id: string, failure: string): Promise<Ending | undefined> {
  const ending = `update job set state = 'failed', failure = $2, finished = now()
    where id = $1 and ${isLive}`
  return (await endJobs(client, ending, 'export', 'failed', [id, failure]))[0]
}

/** Records written and expected so far, of all partitions. */
export async function jobProgress(pool: Pool, id: string): Promise<{ exported: number; planned: number }> {
  const sql = `select coalesce(sum(least(scanned, planned)), 0) as exported, coalesce(sum(planned), 0) as planned
    from partition where job = $1`
  const { rows } = await pool.query(sql, [id])
  return { exported: Number(rows[0].exported), planned: Number(rows[0].planned) }
}

/** A job that somebody plans, for the how manieth time. */
export type ClaimedJob = Job & { readonly planAttempts: number }

/** Takes an accepted job for planning; undefined when somebody else has it or it is accepted no more. */
export async function claimPlanning(pool: Pool, id: string, worker: number): Promise<ClaimedJob | undefined> {
  const sql = `update job set planner = $2, plan_attempts = plan_attempts + 1 where id = $1 and state = 'accepted' and planner is null
    returning plan_attempts as "planAttempts", ${columns}`
  return (await pool.query<ClaimedJob>(sql, [id, worker])).rows[0]
}

/** Gives an accepted job back for another planner, after some seconds. */
export async function releasePlanning(
  client: ClientBase | Pool,
  id: string,
  worker: number,
  seconds: number,
): Promise<boolean> {
  const sql = `update job set planner = null, plan_due = now() + $3 * interval '1 second'
    where id = $1 and state = 'accepted' and planner = $2`
  return (await client.query(sql, [id, worker, seconds])).rowCount === 1
}

/** Locks a live job until the transaction ends, so that of two partitions that end together one sees the other. */
export async function lockLiveJob(client: ClientBase, id: string): Promise<Job | undefined> {
  const sql = `select ${columns} from job where id = $1 and ${isPlanned} for update`
  return (await client.query<Job>(sql, [id])).rows[0]
}

/**
 * Marks a job planned. Its patients stand in the partitions now; only deletions are looked for by the list.
 * @returns false: this planner holds it no longer
 */
export async function startJob(client: ClientBase, id: string, worker: number): Promise<boolean> {
  const sql = `update job set state = 'running', started = now(), planner = null,
      patients_packed = case when request ? 'deletions' then patients_packed end
    where id = $1 and state = 'accepted' and planner = $2`
  return (await client.query(sql, [id, worker])).rowCount === 1
}

/** All partitions with owners are done; the last one, with referenced records, remains. */
export async function openFinishing(client: ClientBase, id: string): Promise<void> {
  await client.query(`update job set state = 'finishing' where id = $1 and state = 'running'`, [id])
}

/** D27: files live for a time from completion. Undefined: it is not to be completed any more. */
export async function completeJob(client: ClientBase, id: string): Promise<Ending | undefined> {
  const ending = `update job set state = 'completed', finished = now(), expires = now() + $2 * interval '1 day'
    where id = $1 and state = 'finishing'`
  return (await endJobs(client, ending, 'export', 'success', [id, fileRetentionDays]))[0]
}

/** Deletes completed jobs whose files have expired. */
export function expireJobs(pool: Pool): Promise<Ending[]> {
  const ending = `update job set state = 'deleted' where state = 'completed' and expires < now()`
  return endJobs(pool, ending, 'expiry', 'success')
}

/** Which of the jobs may have files: live ones and completed ones. */
export async function jobsWithFiles(pool: Pool, ids: readonly string[]): Promise<Set<string>> {
  const sql = `select id from job where id = any ($1) and not (${hasEnded})`
  return new Set((await pool.query<{ id: string }>(sql, [ids])).rows.map((row) => row.id))
}

/**
 * The time up to which ended versions are of no use: no live job, and none that began a short time ago to make files again, looks at or
 * before it, and no later one will.
 * Milliseconds since 1970.
 */
export async function pruneHorizon(client: ClientBase): Promise<number> {
  const stamp = await client.query('select stamp_write() as at')
  const { rows } = await client.query(
    `select min(transaction_time) as at from job
     where ${isLive} or (${isMending} and mending_since > now() - $1 * interval '1 hour')`,
    [mendingHoursMax],
  )
  const now = (stamp.rows[0].at as Date).getTime()
  const oldest = rows[0].at as Date | null
  return oldest === null ? now : Math.min(now, oldest.getTime())
}
