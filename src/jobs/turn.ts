import type { Pool } from 'pg'
import { isDue } from './due.ts'
import type { Task } from './queue.ts'
import { isLive, isMending } from './state-conditions.ts'

/** What is to be done next. */
export interface Turn {
  readonly task: Task
  readonly tenant: string
  /** Nothing else of the tenant is at work. */
  readonly alone: boolean
}

/**
 * What waits, in the order of turns: first who has least at work, then who was served longest ago; tenants come before clients, and the
 * older job before the younger. `served` is of all of a tenant's or client's jobs with work: live ones, and those whose damaged files
 * are made again.
 */
const turnSql = `
  with live as materialized (
    select j.id as job, j.tenant, j.client, j.created, next.number,
      j.state = 'accepted' and j.planner is null and ${isDue('j.plan_due')} as plans,
      coalesce(busy.running, 0) + (j.planner is not null)::int as running,
      (select max(claimed) from partition where job = j.id and claimed is not null) as served
    from job j
    left join lateral (
      select number from partition where job = j.id and state = 'waiting' and ${isDue('due')} order by number limit 1
    ) next on j.state <> 'accepted'
    left join (
      select job, count(*) as running from partition where state = 'running' group by job
    ) busy on busy.job = j.id
    where ${isLive} or ${isMending}
  ), turns as (
    select job, number, plans, tenant, created,
      sum(running) over (partition by tenant) as tenant_running,
      max(served) over (partition by tenant) as tenant_served,
      sum(running) over (partition by tenant, client) as client_running,
      max(served) over (partition by tenant, client) as client_served
    from live
  )
  select job, number, plans, tenant, tenant_running = 0 as alone from turns
  where (plans or number is not null) and (not $1 or tenant_running = 0)
  order by tenant_running, tenant_served nulls first, client_running, client_served nulls first, created, job
  limit 1`

/**
 * Whose turn it is: the work that a free worker should take next. The answer is advice: the claim of what it names decides.
 * @param onlyIdle only work of tenants of whom nothing is at work
 */
export async function nextTurn(pool: Pool, onlyIdle: boolean): Promise<Turn | undefined> {
  const { rows } = await pool.query<TurnRow>(turnSql, [onlyIdle])
  const [next] = rows
  if (next === undefined) return undefined
  const { job, number, plans, tenant, alone } = next
  return { task: plans ? { kind: 'plan', job } : { kind: 'partition', job, number }, tenant, alone }
}

interface TurnRow extends Pick<Turn, 'tenant' | 'alone'> {
  readonly job: string
  readonly number: number
  readonly plans: boolean
}
