import type { Pool } from 'pg'
import { Failure } from '../failure.ts'
import type { Ending } from '../jobs/audited-ending.ts'
import { deleteJob, failJob } from '../jobs/job.ts'
import { findJobSummary, type JobSummary } from '../jobs/job-summary.ts'
import { isUuid } from '../jobs/uuid.ts'
import { isLive } from '../protocol/plan/job-state.ts'
import { type Administrator, administer } from './administer.ts'

/** What the client of a job reads that an operator has cancelled. */
const cancelledByOperator = 'The operator of the server has cancelled the export.'

/** @throws Failure when there is no such job. */
export async function describeJob(pool: Pool, id: string): Promise<JobSummary> {
  const job = isUuid(id) ? await findJobSummary(pool, id) : undefined
  if (job) return job
  throw new Failure(
    `There is no export job ${id.slice(0, 100)}.`,
    'List them with: bin/millrace job list. Jobs that ended long ago are forgotten.',
  )
}

const jobEvent = ({ id, tenant, client, state }: JobSummary, change: string) => ({
  tenant,
  kind: 'administration' as const,
  subjects: [`Job/${id}`],
  detail: { change, client, state },
})

/**
 * Fails a running export: its client reads that the operator has cancelled it, and may start another one at once.
 * @returns how it ended, for the log
 * @throws Failure when there is no such job, or it does not run.
 */
export async function cancelJob(pool: Pool, administrator: Administrator, id: string): Promise<Ending> {
  const job = await describeJob(pool, id)
  return administer(pool, administrator, jobEvent(job, 'export cancelled'), async (client) => {
    const ending = await failJob(client, id, cancelledByOperator)
    if (ending) return ending
    const { state } = isLive(job.state) ? await describeJob(pool, id) : job
    throw new Failure(
      `Export job ${id} is ${state}.`,
      'Only a running one can be cancelled. Files go with: job delete.',
    )
  })
}

/**
 * Ends an export for its client, running or not: to him it is deleted, and its files go.
 * @throws Failure when there is no such job, or it is deleted.
 */
export async function removeJob(pool: Pool, administrator: Administrator, id: string): Promise<JobSummary> {
  const job = await describeJob(pool, id)
  await administer(pool, administrator, jobEvent(job, 'export deleted'), async (client) => {
    if (!(await deleteJob(client, id))) throw new Failure(`Export job ${id} is deleted.`, 'Nothing is left to do.')
  })
  return job
}
