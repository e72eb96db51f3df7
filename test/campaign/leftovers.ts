import { readdir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Site } from './site.ts'
import { steadily } from './steadily.ts'
import type { Tally } from './tally.ts'

/** Longer than the transactions of requests may take, and than two runs of the chore that tidies files. */
const settleMsMax = 300_000
const tidyMsMax = 75_000
const pollMs = 200

const busySql = `select pid, state, left(query, 120) as query from pg_stat_activity
  where pid <> pg_backend_pid() and backend_type = 'client backend' and xact_start is not null and datname = current_database()`
const locksSql = `select objid, mode from pg_locks where locktype = 'advisory' and classid = 7061 and database =
  (select oid from pg_database where datname = current_database())`
const jobsSql = `select id, state, failure from job where state in ('accepted', 'running', 'finishing')`
const partitionsSql = `select partition.job, number, partition.state from partition join job on job.id = partition.job where partition.worker is not null
  and job.state not in ('accepted', 'running', 'finishing', 'deleted')`

/** Waits until nothing of a round is at work any more; what does not end is a violation. */
export async function settled({ pool }: Site, tally: Tally): Promise<void> {
  for (const [what, sql] of [
    ['transactions', busySql],
    ['locks of the store', locksSql],
  ] as const) {
    const left = await untilEmpty(async () => (await steadily(() => pool.query(sql))).rows, settleMsMax)
    if (left.length > 0) tally.violation(`${what} are left: ${JSON.stringify(left)}`)
  }
  const jobs = (await steadily(() => pool.query(jobsSql))).rows
  tally.counts.stuckJobs += jobs.length
  if (jobs.length > 0) tally.violation(`jobs are stuck: ${JSON.stringify(jobs)}`)
  const partitions = (await steadily(() => pool.query(partitionsSql))).rows
  if (partitions.length > 0) tally.violation(`partitions are held: ${JSON.stringify(partitions)}`)
}

/** Waits until no file is there but those of jobs that are complete: what dead attempts left has to go. */
export async function tidied({ pool, files }: Site, tally: Tally): Promise<void> {
  const surplus = async () => {
    const sql = `select path from part join job on job.id = part.job where job.state = 'completed'`
    const named = new Set((await steadily(() => pool.query<{ path: string }>(sql))).rows.map(({ path }) => path))
    const entries = await readdir(files, { recursive: true, withFileTypes: true }).catch(() => [])
    const paths = entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => relative(files, join(parentPath, name)))
    return paths.filter((path) => !named.has(path))
  }
  const left = await untilEmpty(surplus, tidyMsMax)
  if (left.length > 0) tally.violation(`files are left: ${left}`)
}

async function untilEmpty<T>(look: () => Promise<T[]>, msMax: number): Promise<T[]> {
  const deadline = performance.now() + msMax
  for (;;) {
    const left = await look()
    if (left.length === 0 || performance.now() > deadline) return left
    await pause(pollMs)
  }
}
