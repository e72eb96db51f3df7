import type { Pool } from 'pg'
import { beatPartition, type Partition } from '../../jobs/partition.ts'
import type { GiveWay, PartitionContext } from './partition-context.ts'

/** Milliseconds between two beats: a cancelled partition stops within about this time. */
const beatMs = 300

/** Beats that may fail one after the other. */
const missedBeatsMax = 5

/** This attempt holds its partition no longer: the job was cancelled, or somebody else rescued it. Nothing may be published. */
export class NotHeld extends Error {}

/** A partition while it runs: counts the records it has gone through, tells the database in beats, and stops when it is not ours any more. */
export class HeldPartition {
  readonly partition: Partition
  /** To be asked between two pieces of what is read: the partition may stand still for a while. */
  readonly giveWay: GiveWay
  scanned = 0
  readonly #abort = new AbortController()
  readonly #timer: NodeJS.Timeout
  #beating: Promise<void> = Promise.resolve()
  #pending = false
  #missed = 0

  constructor({ pool, giveWay }: Pick<PartitionContext, 'pool' | 'giveWay'>, partition: Partition) {
    this.partition = partition
    this.giveWay = giveWay
    this.#timer = setInterval(() => {
      if (this.#pending) return
      this.#pending = true
      this.#beating = this.#beat(pool).finally(() => {
        this.#pending = false
      })
    }, beatMs)
  }

  /** One beat. A few may be missed: the database may be restarting, and the attempt is fenced all the same. */
  async #beat(pool: Pool): Promise<void> {
    try {
      const held = await beatPartition(pool, this.partition, this.scanned)
      this.#missed = 0
      if (!held) this.#abort.abort(new NotHeld())
    } catch (error) {
      if (++this.#missed > missedBeatsMax) this.#abort.abort(error)
    }
  }

  /** Where this attempt keeps its files. */
  get folder(): string {
    const { job, number, attempt } = this.partition
    return `${job}/${number}-${attempt}`
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#beating
  }
}
