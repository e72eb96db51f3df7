import type { Pool } from 'pg'
import { type Key, keyOf } from '../current.ts'
import type { Draft } from '../draft.ts'
import { waitForDisk } from '../write/wait-for-disk.ts'
import { write } from '../write/write.ts'
import { isUnkeepable, withoutTime } from './kept-time.ts'
import type { LoadTally } from './load-tally.ts'

/** Where something stands: the file, and a line number, `entry[3]`, or both. */
export interface Place {
  readonly file: string
  readonly place: string
}

/** A change on its way into the store. `uncounted`: the record was counted before, this only mends it. */
export type Step = (PutStep | DeleteStep) & { readonly at: Place; readonly uncounted?: true }

interface PutStep {
  readonly kind: 'put'
  readonly draft: Draft
  readonly onlyNew?: true
}

interface DeleteStep {
  readonly kind: 'delete'
  readonly key: Key
}

const batchRecordsMax = 2_000
const batchBytesMax = 4 * 1024 * 1024
/** Targets of the Provenances of one batch; the last one may go beyond. */
const batchTargetsMax = 10_000

/** Batches that are written at the same time: the database works on one while lines of the next are read. */
const writesMax = 2

/** Changes of distinct records: a second one of the same record must become a version of its own. */
interface Batch {
  readonly steps: Step[]
  readonly keys: Set<string>
  bytes: number
  targets: number
}

const emptyBatch = (): Batch => ({ steps: [], keys: new Set(), bytes: 0, targets: 0 })

/** Writes changes in batches, each one transaction, in their order as far as it matters: that of the changes of one record. */
export class BatchWriter {
  readonly #pool: Pool
  readonly #tenant: string
  readonly #keepLastUpdated: boolean
  readonly #tally: LoadTally
  readonly #onBatch: () => void
  #batch = emptyBatch()
  readonly #writing = new Map<Batch, Promise<unknown>>()
  #probablyNew = false

  constructor(pool: Pool, tenant: string, keepLastUpdated: boolean, tally: LoadTally, onBatch: () => void) {
    this.#pool = pool
    this.#tenant = tenant
    this.#keepLastUpdated = keepLastUpdated
    this.#tally = tally
    this.#onBatch = onBatch
  }

  /** Takes changes; waits while enough of them are being written. */
  async add(steps: Iterable<Step>): Promise<void> {
    for (const step of steps) {
      const key = keyTextOf(step)
      const size = step.kind === 'put' ? step.draft.text.bytes.length : 0
      const { steps: gathered, keys, bytes, targets } = this.#batch
      const isFull = gathered.length === batchRecordsMax || bytes + size > batchBytesMax || targets > batchTargetsMax
      if (isFull || keys.has(key)) await this.#begin()
      this.#batch.steps.push(step)
      this.#batch.keys.add(key)
      this.#batch.bytes += size
      if (step.kind === 'put') this.#batch.targets += step.draft.targets.length
    }
  }

  /** Whether a change of one of the records may not have been committed yet. */
  isPending(keys: ReadonlySet<string>): boolean {
    return [this.#batch, ...this.#writing.keys()].some((batch) => !batch.keys.isDisjointFrom(keys))
  }

  /** Resolves when everything that was taken is in the store. */
  async settle(): Promise<void> {
    await this.#begin()
    await Promise.all(this.#writing.values())
  }

  /** The same, and it will survive a crash. */
  async finish(): Promise<void> {
    await this.settle()
    await waitForDisk(this.#pool)
  }

  async #begin(): Promise<void> {
    const batch = this.#batch
    if (batch.steps.length === 0) return
    this.#batch = emptyBatch()
    const meets = (other: Batch) => !other.keys.isDisjointFrom(batch.keys)
    while (this.#writing.size === writesMax || [...this.#writing.keys()].some(meets)) {
      await Promise.race(this.#writing.values())
    }
    const written = this.#write(batch).then(() => this.#writing.delete(batch))
    written.catch(() => {})
    this.#writing.set(batch, written)
  }

  async #write({ steps }: Batch): Promise<void> {
    const options = { keepLastUpdated: this.#keepLastUpdated, deferred: true }
    const changes = this.#keepLastUpdated ? this.#withTimes(steps) : steps
    const probablyNew = this.#probablyNew && steps.every(({ kind }) => kind === 'put')
    const outcomes = await write(this.#pool, this.#tenant, changes, { ...options, probablyNew })
    let allNew = true
    for (const [index, { kind }] of outcomes.entries()) {
      allNew &&= kind === 'created'
      const { at, uncounted } = steps[index]!
      if (kind === 'conflict' || kind === 'exists') this.#tally.fault({ ...at, reason: takenReason }, 1)
      else if (!uncounted) this.#tally.stored(kind)
    }
    this.#probablyNew = allNew
    this.#onBatch()
  }

  #withTimes(steps: readonly Step[]): Step[] {
    const now = Date.now()
    return steps.map((step) => {
      if (step.kind !== 'put' || !isUnkeepable(step.draft, now)) return step
      if (!step.uncounted) this.#tally.counts.lastUpdatedReplaced++
      return { ...step, draft: withoutTime(step.draft) }
    })
  }
}

/** A POST whose id another record has. */
export const takenReason =
  'another record has this id already, and a POST never changes one; if it is the same, load it with PUT, else give it another fullUrl'

const keyTextOf = (step: Step): string => (step.kind === 'put' ? step.draft.key : keyOf(step.key))
