/** The distinct keys that all open objects may have together. */
const keysMax = 512

/** The keys of the objects that are being read, as hashes: one after the other, those of the innermost object last. */
export class OpenKeys {
  readonly #hashes = new Int32Array(keysMax)
  #count = 0

  /** How many there are. An object begins behind the keys of those around it, and when it ends, there are so many again. */
  get count(): number {
    return this.#count
  }

  /**
   * Adds a key to the innermost object, which begins at `first`.
   * @returns false when it (perhaps) has the key already, or there are too many
   */
  add(hash: number, first: number): boolean {
    for (let index = first; index < this.#count; index++) if (this.#hashes[index] === hash) return false
    if (this.#count === keysMax) return false
    this.#hashes[this.#count++] = hash
    return true
  }

  /** Forgets the keys of the innermost object, which begins at `first`. */
  forget(first: number): void {
    this.#count = first
  }
}
