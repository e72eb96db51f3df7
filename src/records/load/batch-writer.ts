import type { ClientBase, Pool } from 'pg'
import { type Key, readCurrentRows } from '../current.ts'
import type { Draft } from '../draft.ts'
import type { WrittenRows } from '../packs/fresh/written-rows.ts'
import { type Change, keyTextOf } from '../write/change.ts'
import { writeNewRecords } from '../write/new/write-new-records.ts'
import { waitForDisk } from '../write/wait-for-disk.ts'
import { write } from '../write/write.ts'
import { isUnkeepable, withoutTime } from './kept-time.ts'
import type { LoadTally } from './load-tally.ts'
import type { PartRows } from './rows/block-parser.ts'
import { KeyHashes } from './rows/key-hashes.ts'
import { SharedBuffers } from './shared-buffers.ts'

/** Where something stands: the file, and a line number, `entry[3]`, or both. */
export interface Place {
  readonly file: string
  readonly place: string
}

/** A change on its way into the store. `mended`: of a record that is written once more at the end. */
export type Step = (PutStep | DeleteStep) & { readonly at: Place; readonly mended?: true }

/** What a record that the load has written is to become, with the digest of what was written. */
export interface Mend {
  readonly draft: Draft
  readonly was: Buffer
}

interface PutStep {
  readonly kind: 'put'
  readonly draft: Draft
  readonly onlyNew?: true
}

interface DeleteStep {
  readonly kind: 'delete'
  readonly key: Key
}

export const batchRecordsMax = 2_000
const batchBytesMax = 4 * 1024 * 1024
/** Targets of the Provenances of one batch; the last one may go beyond. */
export const batchTargetsMax = 10_000

/** Batches that are written at the same time: the database works on one while lines of the next are read. */
const writesMax = 3

/** Changes of distinct records: a second one of the same record must become a version of its own. */
interface Batch {
  readonly steps: Step[]
  readonly keys: KeyHashes
  bytes: number
  targets: number
}

/** Told of rows that have been written, and calls `release` when it needs them no more; writing goes on when it is done. */
export type OnWritten = (rows: WrittenRows, release: () => void) => Promise<void>

export const letGo: OnWritten = async (_rows, release) => release()

const emptyBatch = (): Batch => ({ steps: [], keys: new KeyHashes(), bytes: 0, targets: 0 })

/** Writes changes in batches, each one transaction, in their order as far as it matters: that of the changes of one record. */
export class BatchWriter {
  readonly #pool: Pool
  readonly #tenant: string
  readonly #keepLastUpdated: boolean
  readonly #tally: LoadTally
  readonly #onBatch: () => void
  readonly #onWritten: OnWritten
  readonly #buffers: SharedBuffers
  #batch = emptyBatch()
  /** What is being written, by its keys. */
  readonly #writing = new Map<KeyHashes, Promise<unknown>>()
  readonly #notWritten = new Set<string>()
  #probablyNew = false
  #begun = false

  constructor(
    pool: Pool,
    tenant: string,
    keepLastUpdated: boolean,
    tally: LoadTally,
    onBatch: () => void,
    onWritten: OnWritten = letGo,
    buffers = new SharedBuffers(),
  ) {
    this.#pool = pool
    this.#tenant = tenant
    this.#keepLastUpdated = keepLastUpdated
    this.#tally = tally
    this.#onBatch = onBatch
    this.#onWritten = onWritten
    this.#buffers = buffers
  }

  /** Takes changes; waits while enough of them are being written. */
  async add(steps: Iterable<Step>): Promise<void> {
    for (const step of steps) {
      const key = keyTextOf(step)
      const size = step.kind === 'put' ? step.draft.text.bytes.length : 0
      const { steps: gathered, keys, bytes, targets } = this.#batch
      const isFull = gathered.length === batchRecordsMax || bytes + size > batchBytesMax || targets > batchTargetsMax
      if (isFull || keys.mayHave(key)) await this.#begin()
      this.#batch.steps.push(step)
      this.#batch.keys.add(key)
      this.#batch.bytes += size
      if (step.kind === 'put') this.#batch.targets += step.draft.targets.length
    }
  }

  /** Whether a change of one of the records may not have been committed yet. */
  isPending(keys: ReadonlySet<string>): boolean {
    const pending = [this.#batch.keys, ...this.#writing.keys()]
    return [...keys].some((key) => pending.some((those) => those.mayHave(key)))
  }

  /** Whether what comes is probably new: then it is worth while to make rows of it. */
  get expectsNew(): boolean {
    return this.#probablyNew
  }

  /** Waits for the first records of a load, which tell whether the others are probably new. */
  async begin(): Promise<void> {
    if (this.#begun || this.#batch.steps.length === 0) return
    this.#begun = true
    await this.settle()
  }

  /**
   * Takes records as rows.
   * @param steps the same as changes, for when they are more than new
   * @param done is called when these are not asked for any more
   */
  async addRows(rows: PartRows, steps: () => readonly Step[], done: () => void): Promise<void> {
    await this.#begin()
    await this.#start(new KeyHashes(rows.keys), () => this.#writeRows(rows, steps, done))
  }

  /**
   * Writes records of the load once more, each only if it still is what the load has written: whoever has changed it since, or has had
   * its id all the time, is not overwritten. Nothing of it is counted. Everything that was taken must be in the store.
   * @param mends of distinct records
   * @returns the keys of those that are what they were to become
   */
  async mend(mends: readonly Mend[]): Promise<ReadonlySet<string>> {
    const mended = new Set<string>()
    for (let first = 0; first < mends.length; ) {
      let end = first
      for (let targets = 0; end < mends.length && targets <= batchTargetsMax; end++) {
        targets += mends[end]!.draft.targets.length
      }
      for (const key of await this.#mend(mends.slice(first, end))) mended.add(key)
      first = end
    }
    return mended
  }

  async #mend(mends: readonly Mend[]): Promise<readonly string[]> {
    const now = Date.now()
    const drafts = mends.map(({ draft }) =>
      this.#keepLastUpdated && isUnkeepable(draft, now) ? withoutTime(draft) : draft,
    )
    let changes: (Change & { readonly kind: 'put' })[] = []
    const decide = async (client: ClientBase): Promise<readonly Change[]> => {
      const current = await readCurrentRows(client, this.#tenant, drafts)
      changes = drafts.flatMap((draft, index) => {
        const found = current.get(draft.key)
        const isOurs = found && [mends[index]!.was, draft.digest].some((digest) => found.digest.equals(digest))
        return isOurs && !found.deleted ? [{ kind: 'put' as const, draft, seen: found.version }] : []
      })
      return changes
    }
    const options = { keepLastUpdated: this.#keepLastUpdated, deferred: true }
    await write(this.#pool, this.#tenant, { alone: [], decide }, options)
    this.#onBatch()
    return changes.map(({ draft }) => draft.key)
  }

  /** Whether a record that was to be mended was not written, which was told or counted then. */
  wasNotWritten(key: string): boolean {
    return this.#notWritten.has(key)
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
    await this.#start(batch.keys, () => this.#write(batch.steps))
  }

  /** Begins to write when there is room, and nothing of the same records is on its way. */
  async #start(keys: KeyHashes, write: () => Promise<void>): Promise<void> {
    while (this.#writing.size === writesMax || [...this.#writing.keys()].some((other) => other.mayMeet(keys))) {
      await Promise.race(this.#writing.values())
    }
    const written = write().then(() => this.#writing.delete(keys))
    written.catch(() => {})
    this.#writing.set(keys, written)
  }

  async #writeRows(
    { records, timesReplaced }: PartRows,
    steps: () => readonly Step[],
    done: () => void,
  ): Promise<void> {
    const written = await writeNewRecords(this.#pool, this.#tenant, records, (bytes) => this.#buffers.take(bytes))
    const changes = written ? [] : steps()
    done()
    if (written?.bytes.buffer !== records.bytes.buffer) this.#buffers.give(records.bytes)
    if (!written) {
      this.#probablyNew = false
      return this.#write(changes)
    }
    this.#tally.created(records.count)
    this.#tally.counts.lastUpdatedReplaced += timesReplaced
    this.#onBatch()
    await this.#onWritten(written, () => this.#buffers.give(written.bytes))
  }

  async #write(steps: readonly Step[]): Promise<void> {
    const options = { keepLastUpdated: this.#keepLastUpdated, deferred: true }
    const changes = this.#keepLastUpdated ? this.#withTimes(steps) : steps
    const probablyNew = this.#probablyNew && steps.every(({ kind }) => kind === 'put')
    const outcomes = await write(this.#pool, this.#tenant, changes, { ...options, probablyNew })
    let allNew = true
    for (const [index, { kind }] of outcomes.entries()) {
      allNew &&= kind === 'created'
      const step = steps[index]!
      const isRefused = kind === 'conflict' || kind === 'exists'
      if (isRefused) this.#tally.fault({ ...step.at, reason: takenReason }, 1)
      else this.#tally.stored(kind)
      if (step.mended && (isRefused || kind === 'older')) this.#notWritten.add(keyTextOf(step))
    }
    this.#probablyNew = allNew
    this.#onBatch()
  }

  #withTimes(steps: readonly Step[]): readonly Step[] {
    const now = Date.now()
    return steps.map((step) => {
      if (step.kind !== 'put' || !isUnkeepable(step.draft, now)) return step
      this.#tally.counts.lastUpdatedReplaced++
      return { ...step, draft: withoutTime(step.draft) }
    })
  }
}

/** A POST whose id another record has. */
export const takenReason =
  'another record has this id already, and a POST never changes one; if it is the same, load it with PUT, else give it another fullUrl'
