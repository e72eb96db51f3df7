import type { Pool } from 'pg'
import { errorReason } from '../database/error-code.ts'
import { transaction } from '../database/transaction.ts'
import type { FileStore } from '../files/file-store.ts'
import { clearAllEnded, forgetEnded } from '../jobs/ended-jobs.ts'
import { expireJobs, jobsWithFiles, pruneHorizon } from '../jobs/job.ts'
import { partsOfCompleted } from '../jobs/part.ts'
import type { Producer } from '../jobs/queue.ts'
import { rescueAbandoned } from '../jobs/rescue.ts'
import { StalledCopies } from '../records/copy/stalled-copies.ts'
import { pruneVersions } from '../records/prune.ts'
import { type Meter, noMeter } from '../telemetry/meter.ts'
import { needsPacking } from './background-packer.ts'
import { BackgroundReowner } from './background-reowner.ts'
import type { EngineLog } from './engine-log.ts'

/** Milliseconds between two runs of each chore. */
const rescueEveryMs = 1_000
const stalledEveryMs = 5_000
const pruneEveryMs = 10_000
const tidyEveryMs = 30_000
const packEveryMs = 2_000
const reownEveryMs = 5_000
/** Jobs that were completed within this time are looked at for files of dead attempts, all of them at the first look. */
const lookBackSeconds = 300

/** Batches of old versions that one run removes at most; the next run goes on. */
const pruneBatchesMax = 20

/** Starts the chores that keep a store tidy. Every one of them may run in several processes at once. */
export function startSweeper(
  pool: Pool,
  { enqueue, enqueuePacking }: Producer,
  files: FileStore,
  log: EngineLog,
  meter: Meter = noMeter,
): { readonly stop: () => Promise<void> } {
  const onError = (error: unknown) => log('sweep-failed', { reason: errorReason(error) })
  const stalled = new StalledCopies(pool)
  let lookBack: number | undefined
  const lookAtPublished = async () => {
    await keepPublished(pool, files, lookBack)
    lookBack = lookBackSeconds
  }
  const reowner = new BackgroundReowner(pool, log)
  const rescue = async () => {
    const { rescued, failed } = await rescueAbandoned(pool, enqueue)
    if (rescued > 0) meter.count('millrace_partitions_rescued_total', {}, rescued)
    for (const ending of failed) log('export-failed', ending)
  }
  const tidy = [
    async () => {
      for (const ending of await expireJobs(pool)) log('export-expired', ending)
    },
    () => clearAllEnded(pool),
    () => forgetEnded(pool),
    () => removeUnowned(pool, files),
    lookAtPublished,
  ]
  const chores = [
    every(rescueEveryMs, [rescue], onError),
    every(stalledEveryMs, [() => stalled.look()], onError),
    every(pruneEveryMs, [() => prune(pool)], onError),
    every(tidyEveryMs, tidy, onError),
    every(reownEveryMs, [() => reowner.run()], onError),
    every(packEveryMs, [async () => (await needsPacking(pool)) && enqueuePacking()], onError),
  ]
  return {
    stop: async () => {
      reowner.stop()
      await Promise.all(chores.map((chore) => chore.stop()))
    },
  }
}

/** Runs the steps of a chore now and then again and again, never twice at a time. A step that fails keeps none of the others back. */
function every(ms: number, steps: readonly (() => Promise<unknown>)[], onError: (error: unknown) => void) {
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  let running: Promise<void>
  const run = async () => {
    for (const step of steps) {
      if (stopped) return
      await step().catch((error) => {
        if (!stopped) onError(error)
      })
    }
    if (!stopped) timer = setTimeout(() => (running = run()), ms)
  }
  running = run()
  return {
    stop: async () => {
      stopped = true
      clearTimeout(timer)
      await running
    },
  }
}

/** Removes record versions that no live job can see. */
async function prune(pool: Pool): Promise<void> {
  const horizon = await transaction(pool, pruneHorizon)
  for (let batch = 0; batch < pruneBatchesMax; batch++) {
    if ((await pruneVersions(pool, horizon)) === 0) return
  }
}

/** Removes files that belong to no job any more. */
async function removeUnowned(pool: Pool, files: FileStore): Promise<void> {
  const jobs = await files.jobs()
  const kept = await jobsWithFiles(pool, jobs)
  const removed = await Promise.allSettled(jobs.filter((job) => !kept.has(job)).map((job) => files.removeJob(job)))
  const failed = removed.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
}

/** Removes what dead attempts left of completed jobs whose worker died before it could do so. */
async function keepPublished(pool: Pool, files: FileStore, seconds: number | undefined): Promise<void> {
  const jobs = new Set(await files.jobs())
  for (const [job, paths] of await partsOfCompleted(pool, seconds)) {
    if (jobs.has(job)) await files.keepOnly(job, paths)
  }
}
