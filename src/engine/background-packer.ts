import type { Pool } from 'pg'
import { hasLiveJobs } from '../jobs/job.ts'
import { isPackedInForeground } from '../records/packs/foreground-packing.ts'
import { hasChanged } from '../records/packs/marks.ts'
import { type PackCounts, packChanged } from '../records/packs/packer.ts'

/** Records are packed when they have not changed for this time: a load or a burst of writes is left to end. */
const settledMs = 5_000

/** Whether there is something to pack. */
export const needsPacking = (pool: Pool): Promise<boolean> => hasChanged(pool, { settledMs })

/**
 * Packs what has settled, beside exports: while one is at work it stops after each few packs, until it is asked for again. While a
 * command packs it does not.
 */
export class BackgroundPacker {
  readonly #pool: Pool
  #stopping = false
  #running: Promise<unknown> = Promise.resolve()

  constructor(pool: Pool) {
    this.#pool = pool
  }

  /** @returns what was packed, undefined when there was nothing */
  async run(): Promise<PackCounts | undefined> {
    if (await isPackedInForeground(this.#pool)) return undefined
    const isFree = async () => !(await hasLiveJobs(this.#pool)) && !(await isPackedInForeground(this.#pool))
    const running = packChanged(this.#pool, { settledMs }, async () => !this.#stopping && (await isFree()))
    this.#running = running.catch(() => {})
    const counts = await running
    return counts.packs === 0 ? undefined : counts
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await this.#running
  }
}
