import type { Pool } from 'pg'
import type { Task } from './queue.ts'

/**
 * What waits for the first time, in the order of turns: first who has least at work, then who was served longest ago; tenants come before
 * clients, and the older job before the younger. `served` is of all of a tenant's or client's live jobs. What was tried before is not
 * among it: it has a task of its own, which comes when its time has come.
 */
const order = `
  order by tenant_running, tenant_served nulls first, client_running, client_served nulls first, created, job
  limit 1`

const planSql = `
  with live as materialized (
    select id as job, tenant, client, created, planner is null and plan_attempts = 0 as waits,
      count(*) filter (where planner is not null) over (partition by tenant) as tenant_running,
      count(*) filter (where planner is not null) over (partition by tenant, client) as client_running,
      null::timestamptz as tenant_served, null::timestamptz as client_served
    from job where state = 'accepted'
  )
  select job from live
  where waits and (not $1 or tenant_running = 0 and not exists (
    select from job j join partition p on p.job = j.id where p.state = 'running' and j.tenant = live.tenant))
  ${order}`

const partitionSql = `
  with live as materialized (
    select j.id as job, j.tenant, j.client, j.created, next.number, coalesce(busy.running, 0) as running,
      (select max(claimed) from partition where job = j.id and claimed is not null) as served
    from job j
    left join lateral (
      select number from partition where job = j.id and state = 'waiting' and attempt = 0 order by number limit 1) next on true
    left join (select job, count(*) as running from partition where state = 'running' group by job) busy on busy.job = j.id
    where j.state in ('running', 'finishing')
  ), turns as (
    select job, number, tenant, created,
      sum(running) over (partition by tenant) as tenant_running, max(served) over (partition by tenant) as tenant_served,
      sum(running) over (partition by tenant, client) as client_running, max(served) over (partition by tenant, client) as client_served
    from live
  )
  select job, number from turns
  where number is not null and (not $1 or tenant_running = 0 and not exists (
    select from job where state = 'accepted' and planner is not null and job.tenant = turns.tenant))
  ${order}`

/**
 * Whose turn it is: the work that a free worker should take next. Plans come first, for they are short and others wait for what they plan.
 * The answer is advice: the claim of what it names decides.
 * @param onlyIdle only work of tenants of whom nothing is at work
 */
export async function nextTurn(pool: Pool, onlyIdle: boolean): Promise<Task | undefined> {
  const plan = (await pool.query<{ job: string }>(planSql, [onlyIdle])).rows[0]
  if (plan) return { kind: 'plan', job: plan.job }
  const partition = (await pool.query<{ job: string; number: number }>(partitionSql, [onlyIdle])).rows[0]
  return partition && { kind: 'partition', ...partition }
}
