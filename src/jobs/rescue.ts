import type { ClientBase, Pool } from 'pg'
import { transaction } from '../database/transaction.ts'
import { partitionAttemptsMax } from '../protocol/limits.ts'
import type { Ending } from './audited-ending.ts'
import { isDue } from './due.ts'
import { failJob } from './job.ts'
import { liveWorkersSql } from './liveness.ts'
import { beyondMending, failCompleted } from './mending.ts'
import { type Enqueue, readyTasksSql, type Task } from './queue.ts'
import { isMending, isPlanned } from './state-conditions.ts'

const rescuePartitionsSql = `
  update partition set state = 'waiting', worker = null, scanned = 0, due = null
  where state = 'running' and worker not in (${liveWorkersSql})
  returning job, attempt - spent as tries`

const rescuePlansSql = `
  update job set planner = null
  where state = 'accepted' and planner not in (${liveWorkersSql})`

const forgottenSql = `
  with task as (${readyTasksSql})
  select jsonb_build_object('kind', 'plan', 'job', id) as task from job
  where state = 'accepted' and planner is null and ${isDue('plan_due')}
    and not exists (select from task where data ->> 'job' = id::text)
  union all
  select jsonb_build_object('kind', 'partition', 'job', job.id, 'number', next.number)
  from job cross join lateral (
    select number from partition where job = job.id and state = 'waiting' and ${isDue('due')} order by number limit 1) next
  where (${isPlanned} or ${isMending})
    and not exists (select from task where data ->> 'job' = job.id::text)`

/**
 * Gives the work of dead workers to living ones, at once: their sessions are gone, so there is no lease to wait for.
 * A partition that was tried too often fails its job. A job whose work waits while no task wakes anybody gets one: its worker died
 * between taking the task and claiming the work. A task too many does no harm, for the claim decides.
 * @returns how many partitions were taken from dead workers, and the jobs that have failed
 */
export function rescueAbandoned(
  pool: Pool,
  enqueue: Enqueue,
): Promise<{ readonly rescued: number; readonly failed: readonly Ending[] }> {
  return transaction(pool, async (client) => {
    const failed: Ending[] = []
    const { rows } = await client.query<{ job: string; tries: number }>(rescuePartitionsSql)
    for (const { job, tries } of rows) {
      if (tries < partitionAttemptsMax) continue
      const ending = await giveUp(client, job)
      if (ending) failed.push(ending)
    }
    await client.query(rescuePlansSql)
    const tasks = await forgottenTasks(client)
    if (tasks.length > 0) await enqueue(client, tasks)
    return { rescued: rows.length, failed }
  })
}

async function forgottenTasks(client: ClientBase): Promise<Task[]> {
  return (await client.query<{ task: Task }>(forgottenSql)).rows.map(({ task }) => task)
}

/**
 * Fails the job of a partition that was tried too often, live or completed.
 * @param reason what the client reads: why the last try failed
 * @returns undefined when it had ended already
 */
export async function giveUp(
  client: ClientBase | Pool,
  job: string,
  reason = tooManyAttempts,
): Promise<Ending | undefined> {
  const failed = await failJob(client, job, reason)
  return failed ?? failCompleted(client, job, beyondMending.attempts)
}

export const tooManyAttempts = `A part of the export failed ${partitionAttemptsMax} times.`
