/** Beyond so many records of an owner it is not known any more which are there. */
const presentRecordsMax = 250_000

/** The records of one owner that are there, and when others went, for Provenances may be about them. */
export class PresentRecords {
  readonly owner: string
  #isComplete = true
  readonly #came = new Map<string, number>()
  readonly #went = new Map<string, number>()

  constructor(owner: string) {
    this.owner = owner
  }

  /** False when there were too many: then one that is not here may be there all the same. */
  get isComplete(): boolean {
    return this.#isComplete
  }

  /** @param came when the record's current version was written, milliseconds since 1970 */
  add(type: string, id: string, came: number): void {
    this.#note(this.#came, `${type}/${id}`, came)
  }

  /** @param went when a version of the record ended, milliseconds since 1970: the record may be there all the same */
  addEnd(type: string, id: string, went: number): void {
    const reference = `${type}/${id}`
    this.#note(this.#went, reference, Math.max(went, this.#went.get(reference) ?? Number.NEGATIVE_INFINITY))
  }

  #note(times: Map<string, number>, reference: string, time: number): void {
    if (this.#came.size + this.#went.size < presentRecordsMax || times.has(reference)) times.set(reference, time)
    else this.#isComplete = false
  }

  /**
   * When the current version of a record was written; undefined when there is none.
   * @param reference `Type/id`
   */
  came(reference: string): number | undefined {
    return this.#came.get(reference)
  }

  /**
   * When a record that is there came, or one that is not there went; -Infinity when nothing is known of it: as of an earlier time it may
   * have been otherwise.
   * @param reference `Type/id`
   */
  changed(reference: string): number {
    return this.#came.get(reference) ?? this.#went.get(reference) ?? Number.NEGATIVE_INFINITY
  }
}
