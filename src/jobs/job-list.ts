import type { Pool } from 'pg'
import type { JobState } from '../protocol/plan/job-state.ts'

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

/** A place in the list: the job that was shown last. */
export interface JobPlace {
  readonly created: Date
  readonly id: string
}

/** Jobs of one tenant or of all, newest first, from behind `after` on. */
export async function listJobs(
  pool: Pool,
  wanted: { readonly tenant?: string; readonly state?: JobState; readonly after?: JobPlace; readonly count: number },
): Promise<ListedJob[]> {
  const { rows } = await pool.query<ListedJob>(
    `select id, tenant, client, state, patient_count as patients, transaction_time as "transactionTime",
       date_trunc('milliseconds', created) as created, finished, expires, failure
     from job
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
