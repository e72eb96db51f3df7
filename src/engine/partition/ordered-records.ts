import type { RecordAsOf } from '../../records/as-of.ts'

/** A reading of records in the order of their owners, which is taken piece by piece. */
export class OrderedRecords {
  readonly #batches: AsyncGenerator<RecordAsOf[]>
  #batch: readonly RecordAsOf[] = []

  constructor(batches: AsyncGenerator<RecordAsOf[]>) {
    this.#batches = batches
  }

  /** The records of the owners before this one, as far as they have not been given yet. */
  async *before(owner: string): AsyncGenerator<readonly RecordAsOf[]> {
    for (;;) {
      const end = this.#batch.findIndex((record) => record.owner >= owner)
      const given = end < 0 ? this.#batch : this.#batch.slice(0, end)
      this.#batch = end < 0 ? [] : this.#batch.slice(end)
      if (given.length > 0) yield given
      if (this.#batch.length > 0 || !(await this.#next())) return
    }
  }

  /** All that have not been given yet. */
  async *rest(): AsyncGenerator<readonly RecordAsOf[]> {
    do {
      if (this.#batch.length > 0) yield this.#batch
    } while (await this.#next())
  }

  async #next(): Promise<boolean> {
    const { value, done } = await this.#batches.next()
    this.#batch = done ? [] : value
    return !done
  }

  /** Ends the reading, also when not everything was taken. */
  async close(): Promise<void> {
    await this.#batches.return(undefined)
  }
}
