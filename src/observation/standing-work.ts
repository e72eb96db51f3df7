import type { Queryable } from '../database/queryable.ts'
import { isDue } from '../jobs/due.ts'
import { isLive, isMending } from '../jobs/state-conditions.ts'

/** Work that has waited for so long while nothing is at work is taken by nobody. */
export const standingSeconds = 60

const atWork = `(select id, started, mending_since from job where ${isLive} or ${isMending})`

/**
 * When work began to wait is not kept: it is the latest time at which it cannot have waited yet. The last partition of a job appears when the
 * others are done, which is after they were claimed.
 */
const waitingSince = `greatest(j.started, j.mending_since, p.claimed, p.due,
  case when p.kind = 'references' then (select max(claimed) from partition where job = p.job and claimed is not null) end)`

const secondsSince = (moment: string): string =>
  `coalesce(greatest(extract(epoch from clock_timestamp() - min(${moment})), 0), 0)::float8`

/** SQL: seconds for which the oldest export waits to be planned; 0 when none does. */
export const oldestPlanSql = `
  select ${secondsSince('greatest(created, plan_due)')} from job
  where state = 'accepted' and planner is null and ${isDue('plan_due')}`

/** SQL: the same of partitions that wait to be run. */
export const oldestPartitionSql = `
  select ${secondsSince(waitingSince)} from partition p join ${atWork} j on j.id = p.job
  where p.state = 'waiting' and ${isDue('p.due')}`

/** SQL: partitions of what is at work, by state. */
export const partitionStatesSql = `
  select state, count(*)::int as count from partition where job in (select id from ${atWork} w) group by state`

/** Whether work waits and nobody is at work, in the whole store. */
export async function worksStandStill(client: Queryable): Promise<boolean> {
  const { rows } = await client.query<{ stands: boolean }>(
    `select greatest((${oldestPlanSql}), (${oldestPartitionSql})) > ${standingSeconds}
       and not exists (select from partition where state = 'running')
       and not exists (select from job where state = 'accepted' and planner is not null) as stands`,
  )
  return rows[0]!.stands
}
