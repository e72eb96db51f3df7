import { errorReason } from '../database/error-code.ts'
import { transaction } from '../database/transaction.ts'
import { NotAsPublished } from '../files/cut.ts'
import { completeJob, findJob, lockLiveJob } from '../jobs/job.ts'
import { beyondMending, failCompleted, lockMendingJob, publishedParts, replaceParts } from '../jobs/mending.ts'
import { addReferences, exportedHop } from '../jobs/noted-reference.ts'
import { insertParts, jobPaths, type Part } from '../jobs/part.ts'
import { countPartitions, finishPartition, type Partition } from '../jobs/partition.ts'
import { joinFiles } from '../jobs/published-file.ts'
import type { Enqueue } from '../jobs/queue.ts'
import { linkTo } from '../telemetry/tracing/tracing.ts'
import { exportBlocks } from './partition/export-blocks.ts'
import { exportOwners } from './partition/export-owners.ts'
import { HeldPartition, NotHeld } from './partition/held-partition.ts'
import { measureSources } from './partition/measured-sources.ts'
import type { PartitionContext } from './partition/partition-context.ts'
import { Selection } from './partition/selection.ts'
import { finishJob } from './plan-job.ts'
import { exportDeletions } from './references/export-deletions.ts'
import { exportReferences } from './references/export-references.ts'

type AttemptOutcome = 'published' | 'made again' | 'failed' | 'lost'

/** Runs a claimed partition to its end and publishes its files, or fails with it in hand. */
export async function runPartition(
  context: PartitionContext,
  enqueue: Enqueue,
  partition: Partition,
  onFailure: (partition: Partition, error: unknown) => Promise<void>,
): Promise<void> {
  const { meter } = context
  const held = new HeldPartition(context, partition)
  const began = performance.now()
  const ended = (outcome: AttemptOutcome) => meter.count('millrace_partition_attempts_total', { outcome })
  try {
    const job = await findJob(context.pool, partition.job)
    if (!job) return
    if (context.span) linkTo(context.span, job.traceparent)
    const isMended = job.state === 'completed'
    const published = isMended ? await publishedParts(context.pool, job.id, partition.number) : []
    const selection = new Selection(context, job, held, published)
    await exportAll(context, selection)
    if (isMended) await publishAgain(context, selection)
    else await publish(context, enqueue, selection)
    ended(isMended ? 'made again' : 'published')
    meter.observe('millrace_partition_seconds', (performance.now() - began) / 1000)
    measureSources(meter, selection)
    context.span?.setAttribute('millrace.records', held.scanned)
    if (isMended || partition.kind === 'references') await keepPublished(context, job.id)
  } catch (error) {
    ended(error instanceof NotHeld ? 'lost' : 'failed')
    if (error instanceof NotHeld) await removeLeft(context, held)
    else if (error instanceof NotAsPublished) await giveUpMending(context, partition, error)
    else await onFailure(partition, error)
  } finally {
    await held.stop()
  }
}

/** Writes the files of a partition; when that fails they go again. */
async function exportAll(context: PartitionContext, selection: Selection): Promise<void> {
  const { held } = selection
  try {
    await exportPartition(selection)
    await held.stop()
    held.signal.throwIfAborted()
  } catch (error) {
    if (held.signal.reason instanceof NotHeld) throw held.signal.reason
    await removeLeft(context, held)
    throw error
  }
}

/** What cannot be removed now stays until its job goes: a store that is away must not end the thread, in which others are exported. */
async function removeLeft({ files, tell }: PartitionContext, { folder }: HeldPartition): Promise<void> {
  await files.removeAttempt(folder).catch((error) => tell('sweep-failed', { reason: errorReason(error) }))
}

async function exportPartition(selection: Selection): Promise<void> {
  const { job, held } = selection
  if (held.partition.kind === 'owners')
    return job.request.organizedBy ? exportBlocks(selection) : exportOwners(selection)
  await exportDeletions(selection)
  await exportReferences(selection)
}

/** Removes what killed attempts have written: the job is complete, and only its published files are wanted. */
async function keepPublished({ pool, files, tell }: PartitionContext, job: string): Promise<void> {
  const kept = async () => files.keepOnly(job, await jobPaths(pool, job))
  await kept().catch((error) => tell('sweep-failed', { reason: errorReason(error) }))
}

/**
 * Publishes what a partition wrote, exactly once: in one transaction, and only if this attempt still holds the partition.
 * The job's row is locked first, so that of two partitions that end together the second sees the first.
 * When the commit fails the files stay: it may have succeeded although its answer was lost. `keepPublished` sweeps what is not named.
 */
async function publish({ pool, tell }: PartitionContext, enqueue: Enqueue, selection: Selection): Promise<void> {
  const { partition, scanned } = selection.held
  const completed = await transaction(pool, async (client) => {
    const job = await lockLiveJob(client, partition.job)
    if (!job || !(await finishPartition(client, partition, scanned))) throw new NotHeld()
    await insertParts(client, job.id, partition.number, selection.parts)
    if (partition.kind === 'references') {
      await joinFiles(client, job.id)
      return completeJob(client, job.id)
    }
    await addReferences(client, job.id, selection.shared, exportedHop)
    await addReferences(client, job.id, selection.references)
    const { all, done } = await countPartitions(client, job.id)
    if (all === done) await finishJob(client, enqueue, job, all)
    return undefined
  })
  if (completed) tell('export-completed', completed)
}

/**
 * Publishes files that were made again in place of those that the partition had: their lines are the same, which their checksums show,
 * whatever was pruned from the store meanwhile.
 */
async function publishAgain({ pool, tell }: PartitionContext, selection: Selection): Promise<void> {
  const { partition, scanned } = selection.held
  const { job, published, parts } = selection
  if (!isSame(published, parts)) throw new NotAsPublished('other lines')
  await transaction(pool, async (client) => {
    if (!(await lockMendingJob(client, job.id)) || !(await finishPartition(client, partition, scanned)))
      throw new NotHeld()
    const ids = published.map(({ id }) => id)
    await replaceParts(client, job.id, ids, parts)
  })
  tell('files-mended', { job: job.id, partition: partition.number, files: parts.length })
}

/** Whether files hold the same lines as others, one for one. */
const isSame = (published: readonly Part[], made: readonly Part[]): boolean =>
  published.length === made.length &&
  published.every((part, index) => {
    const again = made[index]!
    return identity.every((name) => part[name] === again[name])
  })

const identity = ['kind', 'type', 'records', 'bytes', 'crc', 'continues'] as const

/** The records are not kept any more as they were: the job fails, and its client is told so; unless it was deleted meanwhile. */
async function giveUpMending({ pool, tell }: PartitionContext, partition: Partition, error: Error): Promise<void> {
  const { job, number } = partition
  const failed = await failCompleted(pool, job, beyondMending.changed)
  if (!failed) return
  tell('export-failed', failed)
  tell('files-lost', { job, partition: number, reason: error.message })
}
