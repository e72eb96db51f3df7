import type { Pool } from 'pg'
import type { JobState } from '../protocol/plan/job-state.ts'
import type { Job } from './job.ts'

/** A job in a list of all clients' jobs: what it is about and how far it is, without its patients. */
export interface ListedJob {
  readonly id: string
  readonly tenant: string
  readonly client: string
  readonly state: JobState
  readonly patients: number
  readonly transactionTime: Date
  readonly created: Date
  readonly finished: Date | null
  readonly expires: Date | null
  readonly failure: string | null
}

/** A job with all that its operator may ask of it. */
export interface JobSummary extends ListedJob {
  /** `{}` once it was deleted. */
  readonly request: Partial<Job['request']>
  readonly started: Date | null
  /** Records that were gone through, and that were expected. */
  readonly scanned: number
  readonly planned: number
  readonly partitions: number
  readonly partitionsDone: number
  /** Beyond the first of each partition. */
  readonly furtherAttempts: number
  /** Of what is stored; `bytes` as they are stored. */
  readonly files: number
  readonly records: number
  readonly bytes: number
}

/** A place in the list: the job that was shown last. */
export interface JobPlace {
  readonly created: Date
  readonly id: string
}

const listed = `id, tenant, client, state, patient_count as patients, transaction_time as "transactionTime",
  date_trunc('milliseconds', created) as created, finished, expires, failure`

/** Jobs of one tenant or of all, newest first, from behind `after` on. */
export async function listJobs(
  pool: Pool,
  wanted: { readonly tenant?: string; readonly state?: JobState; readonly after?: JobPlace; readonly count: number },
): Promise<ListedJob[]> {
  const { rows } = await pool.query<ListedJob>(
    `select ${listed} from job
     where ($1::text is null or tenant = $1) and ($2::text is null or state = $2)
       and ($3::timestamptz is null or (date_trunc('milliseconds', created), id) < ($3, $4::uuid))
     order by date_trunc('milliseconds', created) desc, id desc limit $5`,
    [
      wanted.tenant ?? null,
      wanted.state ?? null,
      wanted.after?.created ?? null,
      wanted.after?.id ?? null,
      wanted.count,
    ],
  )
  return rows
}

/** How many jobs are in each state, of one tenant or of all. */
export async function jobStateCounts(pool: Pool, tenant: string | undefined): Promise<Map<JobState, number>> {
  const { rows } = await pool.query<{ state: JobState; count: number }>(
    'select state, count(*)::int as count from job where $1::text is null or tenant = $1 group by state',
    [tenant ?? null],
  )
  return new Map(rows.map(({ state, count }) => [state, count]))
}

/** @param id a UUID */
export async function findJobSummary(pool: Pool, id: string): Promise<JobSummary | undefined> {
  const { rows } = await pool.query<JobSummary>(
    `select ${listed}, request, started, work.*, stored.* from job
     cross join lateral (
       select coalesce(sum(least(scanned, planned)), 0)::float8 as scanned, coalesce(sum(planned), 0)::float8 as planned,
         count(*)::int as partitions, (count(*) filter (where state = 'done'))::int as "partitionsDone",
         coalesce(sum(greatest(attempt - 1, 0)), 0)::int as "furtherAttempts"
       from partition where job = job.id) work
     cross join lateral (
       select count(distinct coalesce(file, part.id))::int as files, coalesce(sum(records), 0)::float8 as records,
         coalesce(sum(gzip_bytes), 0)::float8 as bytes
       from part where job = job.id) stored
     where id = $1`,
    [id],
  )
  return rows[0]
}
