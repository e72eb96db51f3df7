import { transaction } from '../database/transaction.ts'
import { completeJob, findJob, lockLiveJob } from '../jobs/job.ts'
import { insertParts } from '../jobs/part.ts'
import { claimPartition, countPartitions, finishPartition, type Partition } from '../jobs/partition.ts'
import type { Enqueue } from '../jobs/queue.ts'
import { addReferences } from '../jobs/reference.ts'
import { exportOwners } from './export-owners.ts'
import { exportReferences } from './export-references.ts'
import { HeldPartition, NotHeld } from './held-partition.ts'
import { finishJob } from './plan-job.ts'
import { Selection, type Workshop } from './selection.ts'

/** Runs a waiting partition to its end and publishes its files, or fails with the claimed partition in hand. */
export async function runPartition(
  workshop: Workshop,
  enqueue: Enqueue,
  task: { readonly job: string; readonly number: number },
  worker: number,
  onFailure: (partition: Partition, error: unknown) => Promise<void>,
): Promise<void> {
  const partition = await claimPartition(workshop.pool, task.job, task.number, worker)
  if (!partition) return
  const held = new HeldPartition(workshop.pool, partition)
  try {
    const job = await findJob(workshop.pool, partition.job)
    if (!job) return
    const selection = new Selection(workshop, job, held)
    await (partition.kind === 'owners' ? exportOwners(selection) : exportReferences(selection))
    await held.stop()
    await publish(workshop, enqueue, selection)
  } catch (error) {
    await held.stop()
    if (error instanceof NotHeld || held.signal.reason instanceof NotHeld) return
    await onFailure(partition, error)
  }
}

/**
 * Publishes what a partition wrote, exactly once: in one transaction, and only if this attempt still holds the partition.
 * The job's row is locked first, so that of two partitions that end together the second sees the first.
 */
async function publish({ pool }: Workshop, enqueue: Enqueue, selection: Selection): Promise<void> {
  const { partition, exported } = selection.held
  await transaction(pool, async (client) => {
    const job = await lockLiveJob(client, partition.job)
    if (!job || !(await finishPartition(client, partition, exported))) throw new NotHeld()
    await insertParts(client, job.id, partition.number, selection.parts)
    if (partition.kind === 'references') return completeJob(client, job.id)
    await addReferences(client, job.id, selection.references)
    const { all, done } = await countPartitions(client, job.id)
    if (all === done) await finishJob(client, enqueue, job, all)
  })
}
