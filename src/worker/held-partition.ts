import type { Pool } from 'pg'
import { beatPartition, type Partition } from '../jobs/partition.ts'

/** Milliseconds between two beats: a cancelled partition stops within about this time. */
const beatMs = 300

/** This attempt holds its partition no longer: the job was cancelled, or somebody else rescued it. Nothing may be published. */
export class NotHeld extends Error {}

/** A partition while it runs: counts what was exported, tells the database in beats, and stops when it is not ours any more. */
export class HeldPartition {
  readonly partition: Partition
  exported = 0
  readonly #abort = new AbortController()
  readonly #timer: NodeJS.Timeout
  #beating: Promise<void> = Promise.resolve()

  constructor(pool: Pool, partition: Partition) {
    this.partition = partition
    this.#timer = setInterval(() => {
      this.#beating = beatPartition(pool, partition, this.exported).then(
        (held) => (held ? undefined : this.#abort.abort(new NotHeld())),
        (error) => this.#abort.abort(error),
      )
    }, beatMs)
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#beating
  }
}
