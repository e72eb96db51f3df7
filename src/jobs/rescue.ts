import type { ClientBase, Pool } from 'pg'
import { transaction } from '../database/transaction.ts'
import { partitionAttemptsMax } from '../protocol/limits.ts'
import { failJob } from './job.ts'
import { liveWorkersSql } from './liveness.ts'
import { type Enqueue, type Task, untakenTasksSql } from './queue.ts'

const rescuePartitionsSql = `
  update partition set state = 'waiting', worker = null, scanned = 0
  where state = 'running' and worker not in (${liveWorkersSql})
  returning job, attempt`

const rescuePlansSql = `
  update job set planner = null
  where state = 'accepted' and planner not in (${liveWorkersSql})`

const forgottenSql = `
  with task as (${untakenTasksSql})
  select jsonb_build_object('kind', 'plan', 'job', id) as task from job
  where state = 'accepted' and planner is null
    and jsonb_build_object('kind', 'plan', 'job', id) not in (select data from task)
  union all
  select jsonb_build_object('kind', 'partition', 'job', job.id, 'number', number)
  from job join partition on partition.job = job.id
  where job.state in ('running', 'finishing') and partition.state = 'waiting'
    and jsonb_build_object('kind', 'partition', 'job', job.id, 'number', number) not in (select data from task)`

/**
 * Gives the work of dead workers to living ones, at once: their sessions are gone, so there is no lease to wait for.
 * A partition that was tried too often fails its job. Work that waits without a task in the queue gets one: its worker died
 * between taking the task and claiming the work. A task too many does no harm, for the claim decides.
 */
export async function rescueAbandoned(pool: Pool, enqueue: Enqueue): Promise<void> {
  await transaction(pool, async (client) => {
    const { rows } = await client.query<{ job: string; attempt: number }>(rescuePartitionsSql)
    for (const { job, attempt } of rows) {
      if (attempt >= partitionAttemptsMax) await failJob(client, job, tooManyAttempts)
    }
    await client.query(rescuePlansSql)
    const tasks = await forgottenTasks(client)
    if (tasks.length > 0) await enqueue(client, tasks)
  })
}

async function forgottenTasks(client: ClientBase): Promise<Task[]> {
  return (await client.query<{ task: Task }>(forgottenSql)).rows.map(({ task }) => task)
}

export const tooManyAttempts = `A part of the export failed ${partitionAttemptsMax} times.`
