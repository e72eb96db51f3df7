/** Beyond so many records of an owner it is not known any more which are there. */
const presentRecordsMax = 250_000

/** The current records of one owner, for which Provenances may be about them. */
export class PresentRecords {
  readonly owner: string
  #isComplete = true
  readonly #came = new Map<string, number>()

  constructor(owner: string) {
    this.owner = owner
  }

  /** False when there were too many: then one that is not here may be there all the same. */
  get isComplete(): boolean {
    return this.#isComplete
  }

  /** @param came when the record's current version was written, milliseconds since 1970 */
  add(type: string, id: string, came: number): void {
    if (this.#came.size < presentRecordsMax) this.#came.set(`${type}/${id}`, came)
    else this.#isComplete = false
  }

  /**
   * When the current version of a record was written; undefined when there is none.
   * @param reference `Type/id`
   */
  came(reference: string): number | undefined {
    return this.#came.get(reference)
  }
}
