/** Slots of the table: twice as many as there are keys in a batch at most. A power of two. */
const slots = 8_192

/** Keys that the table takes; the next one is refused. */
export const hashedKeysMax = slots / 2

/**
 * Keys of the records of one batch, as hashes, which can go from one thread to another. They say "no" for certain and "yes" perhaps
 * wrongly: for questions where a wrong "yes" costs only time.
 */
export class KeyHashes {
  /** Open addressing: a hash stands at its place, or behind it where that is taken; 0 where there is none. */
  readonly slots: Int32Array
  #size = 0

  /** @param filled slots of another one, which is not added to any more */
  constructor(filled?: Int32Array) {
    this.slots = filled ?? new Int32Array(slots)
  }

  get size(): number {
    return this.#size
  }

  /** @returns false when the key (perhaps) is in already */
  add(key: string): boolean {
    const hash = hashOf(key)
    const slot = this.#find(hash)
    if (this.slots[slot] === hash) return false
    if (this.#size === hashedKeysMax) throw new Error('more keys than a batch has')
    this.slots[slot] = hash
    this.#size++
    return true
  }

  mayHave(key: string): boolean {
    return this.slots[this.#find(hashOf(key))] !== 0
  }

  mayMeet(other: KeyHashes): boolean {
    return other.slots.some((hash) => hash !== 0 && this.slots[this.#find(hash)] === hash)
  }

  #find(hash: number): number {
    let slot = hash & (slots - 1)
    while (this.slots[slot] !== 0 && this.slots[slot] !== hash) slot = (slot + 1) & (slots - 1)
    return slot
  }
}

/** FNV-1a of the UTF-16 units; never 0. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5 | 0
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193)
  return hash || 1
}
