import type { Span } from '@opentelemetry/api'
import type { Pool, PoolConfig } from 'pg'
import { errorReason } from '../database/error-code.ts'
import { transaction } from '../database/transaction.ts'
import type { FileStore } from '../files/file-store.ts'
import { type ClaimedJob, claimPlanning, releasePlanning } from '../jobs/job.ts'
import { type Liveness, openLiveness } from '../jobs/liveness.ts'
import { claimPartition, type Partition, releasePartition } from '../jobs/partition.ts'
import { consumeTasks, type Enqueue, openProducer, type Task } from '../jobs/queue.ts'
import { giveUp } from '../jobs/rescue.ts'
import { nextTurn, type Turn } from '../jobs/turn.ts'
import { partitionAttemptsMax } from '../protocol/limits.ts'
import { type Meter, noMeter } from '../telemetry/meter.ts'
import { inOwnTrace, linkTo, markFailed } from '../telemetry/tracing/tracing.ts'
import { BackgroundPacker } from './background-packer.ts'
import type { EngineLog } from './engine-log.ts'
import { lastingTrouble } from './lasting-trouble.ts'
import { measuredStore } from './measured-store.ts'
import type { GiveWay, PartitionContext } from './partition/partition-context.ts'
import { planJob } from './plan-job.ts'
import { RightOfWay } from './right-of-way.ts'
import { runPartition } from './run-partition.ts'
import { startSweeper } from './sweeper.ts'

/** How long a failed partition waits: this many seconds times its attempts. */
const retrySecondsStep = 2

/**
 * Work beyond `concurrency` that an engine takes, from tenants of whom nothing is at work: a small export does not wait until somebody
 * else's large partition ends.
 */
export const spareSlotsMax = 1

/** Takes work when the queue tells of some, `concurrency` pieces at a time, until stopped. Any number of engines share a store. */
export async function startEngine(options: {
  readonly pool: Pool
  readonly connection: PoolConfig
  readonly files: FileStore
  readonly concurrency: number
  readonly log: EngineLog
  readonly meter?: Meter
}): Promise<{ readonly stop: () => Promise<void> }> {
  const { pool, connection, concurrency, log, meter = noMeter } = options
  const files = measuredStore(options.files, meter)
  const queueError = (error: unknown) => log('queue-error', { reason: errorReason(error) })
  const producer = await openProducer(pool, queueError)
  const engine = new Engine({ pool, files, tell: log, meter }, producer.enqueue, connection, concurrency, log)
  await engine.beAlive()
  const packer = new BackgroundPacker(pool)
  const consumer = await consumeTasks(
    pool,
    connection,
    concurrency + spareSlotsMax,
    () => engine.run(),
    () =>
      packer.run().then(
        (counts) => counts && log('packed', { ...counts }),
        (error) => log('pack-failed', { reason: errorReason(error) }),
      ),
    queueError,
    (warning) => log('queue-warning', { reason: errorReason(warning) }),
  )
  const sweeper = startSweeper(pool, producer, files, log, meter)
  return {
    stop: async () => {
      engine.takeNoMore()
      await consumer.stop()
      await sweeper.stop()
      await packer.stop()
      await engine.die()
      await producer.stop()
    },
  }
}

class Engine {
  readonly #context: Omit<PartitionContext, 'giveWay' | 'span'>
  readonly #enqueue: Enqueue
  readonly #connection: PoolConfig
  readonly #concurrency: number
  readonly #log: EngineLog
  readonly #way = new RightOfWay()
  #liveness: Promise<Liveness> | undefined
  /** Slots that have work, or ask for some. */
  #working = 0
  #stopping = false

  constructor(
    context: Omit<PartitionContext, 'giveWay' | 'span'>,
    enqueue: Enqueue,
    connection: PoolConfig,
    concurrency: number,
    log: EngineLog,
  ) {
    this.#context = context
    this.#enqueue = enqueue
    this.#connection = connection
    this.#concurrency = concurrency
    this.#log = log
  }

  /** What is at work goes on. */
  takeNoMore(): void {
    this.#stopping = true
  }

  /** The proof of life that new claims carry. A lost session is replaced when the next task comes. */
  beAlive(): Promise<Liveness> {
    this.#liveness ??= openLiveness(this.#connection, () => {
      this.#liveness = undefined
    }).catch((error) => {
      this.#liveness = undefined
      throw error
    })
    return this.#liveness
  }

  async die(): Promise<void> {
    const liveness = this.#liveness
    this.#liveness = undefined
    await liveness?.then((held) => held.close()).catch(() => {})
  }

  /** Works until there is nothing to do, or the engine stops. @returns whether there was anything to do */
  async run(): Promise<boolean> {
    let worked = false
    while (!this.#stopping) {
      // Counted while it asks: of two slots that ask at once, the one beyond the concurrency knows that it is.
      this.#working++
      try {
        const next = await this.#nextTurn(this.#working > this.#concurrency)
        if (next === undefined) return worked
        await this.#inTurn(next)
        worked = true
      } finally {
        this.#working--
      }
    }
    return worked
  }

  /** Who cannot ask has no turn: nothing is held meanwhile, and the sweeper wakes somebody again. */
  async #nextTurn(onlyIdle: boolean): Promise<Turn | undefined> {
    try {
      return await nextTurn(this.#context.pool, onlyIdle)
    } catch (error) {
      this.#log('queue-error', { reason: errorReason(error) })
      return undefined
    }
  }

  async #inTurn(turn: Turn): Promise<void> {
    this.#way.begin(turn)
    try {
      await this.#hold(turn, () => this.#way.giveWay(turn))
    } finally {
      this.#way.end(turn)
    }
  }

  /**
   * Does one piece of work. When even giving it back fails, this engine may hold work that it does not know of: it then takes a new
   * number, and what it held under the old one is rescued like a dead worker's.
   */
  async #hold({ task }: Turn, giveWay: GiveWay): Promise<void> {
    try {
      await this.#take(task, giveWay)
    } catch (error) {
      await this.die()
      throw error
    }
  }

  async #take(task: Task, giveWay: GiveWay): Promise<void> {
    const { worker } = await this.beAlive()
    const { pool } = this.#context
    if (task.kind === 'plan') {
      const job = await claimPlanning(pool, task.job, worker)
      return job && inOwnTrace('export plan', { 'millrace.job': job.id }, (span) => this.#plan(job, worker, span))
    }
    const partition = await claimPartition(pool, task.job, task.number, worker)
    if (partition)
      await inOwnTrace('export partition', attributesOf(partition), (span) =>
        runPartition({ ...this.#context, giveWay, span }, this.#enqueue, partition, (held, error) => {
          markFailed(span, error)
          return this.#retry(held, error)
        }),
      )
  }

  async #plan(job: ClaimedJob, worker: number, span: Span): Promise<void> {
    const { pool } = this.#context
    linkTo(span, job.traceparent)
    try {
      const failed = await planJob(pool, this.#enqueue, job, worker)
      if (failed) this.#log('export-failed', failed)
    } catch (error) {
      markFailed(span, error)
      this.#log('task-failed', { job: job.id, task: 'plan', reason: errorReason(error) })
      await transaction(pool, async (client) => {
        if (!(await releasePlanning(client, job.id, worker, retrySecondsStep))) return
        await this.#enqueue(client, [{ kind: 'plan', job: job.id }], retrySecondsStep)
      })
    }
  }

  /**
   * Puts a failed partition back into the queue, or fails its job when it was tried too often. Files that are made again may wait for
   * the store of files: their job is done, and its tries are for other failures.
   */
  async #retry(partition: Partition, error: unknown): Promise<void> {
    const { job, number, attempt, tries } = partition
    this.#log('task-failed', { job, partition: number, attempt, reason: errorReason(error) })
    const trouble = lastingTrouble(error)
    const waits = partition.again && trouble !== undefined
    const failed = await transaction(this.#context.pool, async (client) => {
      const seconds = retrySecondsStep * (waits ? partitionAttemptsMax : Math.min(tries, partitionAttemptsMax))
      if (!(await releasePartition(client, partition, seconds, !waits))) return undefined
      const ending = !waits && tries >= partitionAttemptsMax ? await giveUp(client, job, trouble) : undefined
      if (!ending) await this.#enqueue(client, [{ kind: 'partition', job, number }], seconds)
      return ending
    })
    if (failed) this.#log('export-failed', failed)
  }
}

const attributesOf = ({ job, number, kind, attempt }: Partition) => ({
  'millrace.job': job,
  'millrace.partition': number,
  'millrace.partition.kind': kind,
  'millrace.attempt': attempt,
})
