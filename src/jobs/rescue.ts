import type { Pool } from 'pg'
import { transaction } from '../database/transaction.ts'
import { partitionAttemptsMax } from '../export/limits.ts'
import { failJob } from './job.ts'
import { liveWorkersSql } from './liveness.ts'
import type { Enqueue, Task } from './queue.ts'

const rescueSql = `
  update partition set state = 'waiting', worker = null, exported = 0
  where state = 'running' and worker not in (${liveWorkersSql})
  returning job, number, attempt`

const rescuePlansSql = `
  update job set planner = null
  where state = 'accepted' and planner not in (${liveWorkersSql})
  returning id`

/**
 * Gives the work of dead workers to living ones, at once: their sessions are gone, so there is no lease to wait for.
 * A partition that was tried too often fails its job.
 */
export async function rescueAbandoned(pool: Pool, enqueue: Enqueue): Promise<number> {
  return transaction(pool, async (client) => {
    const { rows } = await client.query<{ job: string; number: number; attempt: number }>(rescueSql)
    const tasks: Task[] = []
    for (const { job, number, attempt } of rows) {
      if (attempt >= partitionAttemptsMax) await failJob(client, job, tooManyAttempts)
      else tasks.push({ kind: 'partition', job, number })
    }
    const unplanned = await client.query<{ id: string }>(rescuePlansSql)
    tasks.push(...unplanned.rows.map(({ id }): Task => ({ kind: 'plan', job: id })))
    if (tasks.length > 0) await enqueue(client, tasks)
    return tasks.length
  })
}

export const tooManyAttempts = `A part of the export failed ${partitionAttemptsMax} times.`
