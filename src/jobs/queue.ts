import { setTimeout as sleep } from 'node:timers/promises'
import type { ClientBase, Pool, PoolConfig } from 'pg'
import { PgBoss } from 'pg-boss'
import { underMigrationLock } from '../database/migration-lock.ts'

/** One step of a job that a worker may take. The rows of `job` and `partition` are the truth; a task only wakes somebody up. */
export type Task =
  | { readonly kind: 'plan'; readonly job: string }
  | { readonly kind: 'partition'; readonly job: string; readonly number: number }

/** Adds tasks within the caller's transaction, so that a row and its task appear together. */
export type Enqueue = (client: ClientBase | Pool, tasks: readonly Task[], delaySeconds?: number) => Promise<void>

const queueName = 'export'

/** One task at a time, waiting or at work, for all workers of a store: packing is done in the background, by one of them. */
const packingQueueName = 'pack'

/** A task that is still active after this time was left by a dead worker; the sweeper has long since made another. */
const taskSecondsMax = 23 * 3600
/** Polling is only the backstop: NOTIFY wakes workers at once. */
const backstopSeconds = 10

/** Tasks that one job adds at a time: each wakes somebody, who then works until there is nothing to do. */
export const wakesMax = 64

/** SQL: the `data` of the tasks that nobody has taken yet, and whose time has come. */
export const readyTasksSql = `
  select data from pgboss.job where name = '${queueName}' and state < 'active' and start_after <= now()`

/** SQL: the tasks that somebody is at work on. */
export const runningTasksSql = `select data from pgboss.job where name = '${queueName}' and state = 'active'`

/** A task whose worker died is ended by pg-boss after about this time; the sweeper does not wait for it. */
const heartbeatSeconds = 10

const queueOptions = {
  notify: true,
  retryLimit: 10,
  heartbeatSeconds,
  expireInSeconds: taskSecondsMax,
  deleteAfterSeconds: 3600,
}

/** A packing task that fails is not tried again: the next one is asked for soon. */
const packingQueueOptions = {
  policy: 'exclusive' as const,
  notify: true,
  retryLimit: 0,
  heartbeatSeconds,
  expireInSeconds: taskSecondsMax,
  deleteAfterSeconds: 60,
}

/** The side that adds tasks; it runs on the caller's connections only. */
export interface Producer {
  readonly enqueue: Enqueue
  /** Asks for packing, unless somebody has. */
  readonly enqueuePacking: () => Promise<void>
  readonly stop: () => Promise<void>
}

/** Opens the queue for adding tasks, and creates it when it is not there. */
export async function openProducer(pool: Pool, onError: (error: Error) => void): Promise<Producer> {
  const boss = new PgBoss({ db: databaseOf(pool), supervise: false, schedule: false })
  boss.on('error', onError)
  await startQueues(boss, pool)
  return {
    enqueuePacking: async () => {
      await boss.send(packingQueueName, {})
    },
    enqueue: async (client, tasks, delaySeconds = 0) => {
      const jobs = tasks.map((data) => ({ data, startAfter: delaySeconds }))
      await boss.insert(queueName, jobs, { db: databaseOf(client) })
    },
    stop: () => boss.stop({ graceful: false }),
  }
}

/**
 * Lets `handle` work when a task wakes it, at most `concurrency` times at a time, until stopped, and packs when it is asked for. The handlers
 * deal with their own failures; `handle` tells whether there was anything to do.
 */
export async function consumeTasks(
  pool: Pool,
  connection: PoolConfig,
  concurrency: number,
  handle: () => Promise<boolean>,
  pack: () => Promise<void>,
  onError: (error: Error) => void,
  onWarning: (error: Error) => void = onError,
): Promise<{ readonly stop: () => Promise<void> }> {
  const boss = await openListening(pool, connection, onError, onWarning)
  const options = { pollingIntervalSeconds: backstopSeconds, notifyPollingIntervalSeconds: backstopSeconds }
  for (let count = 0; count < concurrency; count++) {
    const worker: string = await boss.work<Task>(queueName, options, async () => {
      // NOTIFY wakes for new tasks only: who has worked takes the next at once. Who found nothing to do leaves it to others.
      if (await handle()) boss.notifyWorker(worker)
    })
  }
  await boss.work(packingQueueName, options, pack)
  return { stop: () => boss.stop({ graceful: false }) }
}

/** How often a start tries to listen, and the pause between. After that tasks are found by polling, each up to ten seconds late. */
const listenTriesMax = 5
const listenPauseMs = 1_000

/** pg-boss opens LISTEN once: where that fails it only polls, for as long as it lives. So it is started anew. */
async function openListening(
  pool: Pool,
  connection: PoolConfig,
  onError: (error: Error) => void,
  onWarning: (error: Error) => void,
): Promise<PgBoss> {
  for (let tries = 1; ; tries++) {
    const boss = new PgBoss({
      ...(connection as { host?: string }),
      max: 3,
      schedule: false,
      useListenNotify: true,
      monitorIntervalSeconds: heartbeatSeconds,
    })
    let deaf = false
    boss.on('error', onError)
    boss.on('warning', ({ message, data }) => {
      deaf ||= (data as { type?: unknown } | undefined)?.type === 'listen_notify_unavailable'
      onWarning(new Error(message))
    })
    await startQueues(boss, pool)
    if (!deaf || tries === listenTriesMax) return boss
    await boss.stop({ graceful: false })
    await sleep(listenPauseMs)
  }
}

/** pg-boss makes and changes its tables when it starts, and fails where two programs do that at once. */
async function startQueues(boss: PgBoss, pool: Pool): Promise<void> {
  await underMigrationLock(pool, async () => {
    await boss.start()
    await boss.createQueue(queueName, queueOptions)
    await boss.createQueue(packingQueueName, packingQueueOptions)
  })
}

const databaseOf = (client: ClientBase | Pool) => ({
  executeSql: (text: string, values?: unknown[]) => client.query(text, values),
})
