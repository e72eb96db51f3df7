import type { ClientBase, Pool } from 'pg'
import { transaction } from '../database/transaction.ts'
import type { Ending } from '../jobs/audited-ending.ts'
import { type ClaimedJob, failJob, type Job, jobPatients, openFinishing, startJob } from '../jobs/job.ts'
import { countReferences } from '../jobs/noted-reference.ts'
import { packedNoIds } from '../jobs/packed-text.ts'
import { insertPartitions, type PackedPartition, packPartitions } from '../jobs/partition.ts'
import { type Enqueue, wakesMax } from '../jobs/queue.ts'
import { tooManyAttempts } from '../jobs/rescue.ts'
import { partitionAttemptsMax } from '../protocol/limits.ts'
import { isOfOwners } from '../protocol/plan/coming-along.ts'
import { planPartitions } from '../protocol/plan/planned-partitions.ts'
import { ownerSizes } from '../records/owner-sizes.ts'
import { packDemand } from './partition/pack-demand-of-job.ts'
import { planUnlisted } from './plan-unlisted.ts'

/**
 * Plans a job that the worker has claimed: all partitions, and tasks that wake workers for them, appear in one transaction.
 * @returns how it has failed, when it was tried too often
 */
export async function planJob(
  pool: Pool,
  enqueue: Enqueue,
  job: ClaimedJob,
  worker: number,
): Promise<Ending | undefined> {
  const { id } = job
  if (job.planAttempts > partitionAttemptsMax) return failJob(pool, id, tooManyAttempts)
  const types = job.request.types.filter((type) => isOfOwners(job.request, type))
  const planned = job.request.reach ? await planUnlisted(pool, job, types, worker) : 0
  if (planned === undefined) return undefined
  const partitions = job.request.reach ? [] : await planListed(pool, job, types)
  await transaction(pool, async (client) => {
    if (!(await startJob(client, id, worker))) return
    await insertPartitions(client, id, 'owners', partitions, planned)
    const numbers = Array.from({ length: planned + partitions.length }, (_, number) => number)
    await enqueue(
      client,
      numbers.slice(0, wakesMax).map((number) => ({ kind: 'partition', job: id, number })),
    )
    if (numbers.length === 0) await finishJob(client, enqueue, job, 0)
  })
  return undefined
}

async function planListed(pool: Pool, job: Job, types: readonly string[]): Promise<PackedPartition[]> {
  const owners = await jobPatients(pool, job.id)
  return packPartitions(planPartitions(await ownerSizes(pool, owners, packDemand(job, types))))
}

/** Opens the last partition of a job, the one with referenced records. */
export async function finishJob(client: ClientBase, enqueue: Enqueue, job: Job, number: number): Promise<void> {
  await openFinishing(client, job.id)
  const records = await countReferences(client, job.id)
  await insertPartitions(client, job.id, 'references', [{ owners: packedNoIds, records }], number)
  await enqueue(client, [{ kind: 'partition', job: job.id, number }])
}
