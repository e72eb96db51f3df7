import type { ClientBase, Pool } from 'pg'
import { isLive } from './state-conditions.ts'

/** Whose jobs: all of a tenant, or those of one of its clients. */
export interface JobOwner {
  readonly tenant: string
  readonly client?: string
}

const ofOwner = 'tenant = $1 and ($2::text is null or client = $2)'
const ownerValues = ({ tenant, client }: JobOwner) => [tenant, client ?? null]

/** How many jobs are live, and how many are completed and still have their files. */
export async function countJobs(
  database: ClientBase | Pool,
  owner: JobOwner,
): Promise<{ readonly live: number; readonly completed: number }> {
  const { rows } = await database.query(
    `select (count(*) filter (where ${isLive}))::int as live,
       (count(*) filter (where state = 'completed'))::int as completed
     from job where ${ofOwner}`,
    ownerValues(owner),
  )
  return rows[0]
}

/** Forgets jobs, with everything that hangs on them: workers stop at their next beat, and the sweeper removes the files. */
export async function removeJobs(client: ClientBase, owner: JobOwner): Promise<number> {
  return (await client.query(`delete from job where ${ofOwner}`, ownerValues(owner))).rowCount ?? 0
}
