import type { Pool, PoolConfig } from 'pg'
import { errorReason } from '../database/error-code.ts'
import { transaction } from '../database/transaction.ts'
import type { FileStore } from '../files/file-store.ts'
import { failJob, releasePlanning } from '../jobs/job.ts'
import { type Liveness, openLiveness } from '../jobs/liveness.ts'
import { type Partition, releasePartition } from '../jobs/partition.ts'
import { consumeTasks, type Enqueue, openProducer, type Task } from '../jobs/queue.ts'
import { tooManyAttempts } from '../jobs/rescue.ts'
import { partitionAttemptsMax } from '../protocol/limits.ts'
import { BackgroundPacker } from './background-packer.ts'
import type { Workshop } from './partition/selection.ts'
import { planJob } from './plan-job.ts'
import { runPartition } from './run-partition.ts'
import { startSweeper } from './sweeper.ts'

/** Tells what went wrong; never with record content. */
export type EngineLog = (
  event: 'task-failed' | 'queue-error' | 'sweep-failed' | 'pack-refused' | 'pack-failed' | 'packed',
  details: Record<string, unknown>,
) => void

/** How long a failed partition waits: this many seconds times its attempts. */
const retrySecondsStep = 2

/** Takes tasks from the queue and runs them, `concurrency` at a time, until stopped. Any number of engines share a store. */
export async function startEngine(options: {
  readonly pool: Pool
  readonly connection: PoolConfig
  readonly files: FileStore
  readonly concurrency: number
  readonly log: EngineLog
}): Promise<{ readonly stop: () => Promise<void> }> {
  const { pool, connection, files, concurrency, log } = options
  const queueError = (error: unknown) => log('queue-error', { reason: reasonOf(error) })
  const producer = await openProducer(pool, queueError)
  const engine = new Engine({ pool, files, complain: log }, producer.enqueue, connection, log)
  await engine.beAlive()
  const packer = new BackgroundPacker(pool)
  const consumer = await consumeTasks(
    pool,
    connection,
    concurrency,
    (task) => engine.run(task),
    () =>
      packer.run().then(
        (counts) => counts && log('packed', { ...counts }),
        (error) => log('pack-failed', { reason: reasonOf(error) }),
      ),
    queueError,
  )
  const sweeper = startSweeper(pool, producer, files, (error) => log('sweep-failed', { reason: reasonOf(error) }))
  return {
    stop: async () => {
      await consumer.stop()
      await sweeper.stop()
      await packer.stop()
      await engine.die()
      await producer.stop()
    },
  }
}

class Engine {
  readonly #workshop: Workshop
  readonly #enqueue: Enqueue
  readonly #connection: PoolConfig
  readonly #log: EngineLog
  #liveness: Promise<Liveness> | undefined

  constructor(workshop: Workshop, enqueue: Enqueue, connection: PoolConfig, log: EngineLog) {
    this.#workshop = workshop
    this.#enqueue = enqueue
    this.#connection = connection
    this.#log = log
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

  /**
   * Runs one task. When even giving work back fails, this engine may hold work that it does not know of: it then takes a new number,
   * and what it held under the old one is rescued like a dead worker's.
   */
  async run(task: Task): Promise<void> {
    try {
      await this.#take(task)
    } catch (error) {
      await this.die()
      throw error
    }
  }

  async #take(task: Task): Promise<void> {
    const { worker } = await this.beAlive()
    if (task.kind === 'plan') return this.#plan(task, worker)
    await runPartition(this.#workshop, this.#enqueue, task, worker, (partition, error) => this.#retry(partition, error))
  }

  async #plan(task: Task & { kind: 'plan' }, worker: number): Promise<void> {
    const { pool } = this.#workshop
    try {
      await planJob(pool, this.#enqueue, task.job, worker)
    } catch (error) {
      this.#log('task-failed', { job: task.job, task: 'plan', reason: reasonOf(error) })
      await transaction(pool, async (client) => {
        if (await releasePlanning(client, task.job, worker)) await this.#enqueue(client, [task], retrySecondsStep)
      })
    }
  }

  /** Puts a failed partition back into the queue, or fails its job when it was tried too often. */
  async #retry(partition: Partition, error: unknown): Promise<void> {
    const { job, number, attempt } = partition
    this.#log('task-failed', { job, partition: number, attempt, reason: reasonOf(error) })
    await transaction(this.#workshop.pool, async (client) => {
      if (!(await releasePartition(client, partition))) return
      if (attempt >= partitionAttemptsMax) return failJob(client, job, tooManyAttempts)
      await this.#enqueue(client, [{ kind: 'partition', job, number }], retrySecondsStep * attempt)
    })
  }
}

/** The message of an error. PostgreSQL's messages name tables and constraints; their details, which may hold values, are left out. */
const reasonOf = errorReason
