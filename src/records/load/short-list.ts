/** Things that are counted, and of which the first few are named. */
export interface Listed<Item> {
  readonly count: number
  readonly first: readonly Item[]
}

/** Collects them; what is named is bounded. */
export class ShortList<Item> implements Listed<Item> {
  readonly first: Item[] = []
  readonly #max: number
  #count = 0

  constructor(max: number) {
    this.#max = max
  }

  get count(): number {
    return this.#count
  }

  add(item: Item): void {
    this.#count++
    if (this.first.length < this.#max) this.first.push(item)
  }

  /** As data, which can go from one thread to another. */
  listed(): Listed<Item> {
    return { count: this.#count, first: this.first }
  }
}
