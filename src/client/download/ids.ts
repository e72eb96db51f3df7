import { rememberedIdsMax } from '../limits.ts'

/**
 * The 64-bit hashes of the ids in one file, in the order of its records. They are kept apart until the file has proved whole:
 * a file that must be fetched again does not then meet itself.
 */
export interface FileIds {
  /** Two words a record, both 0 for a record without an id. */
  words: Uint32Array
  records: number
}

export const noIds = (): FileIds => ({ words: new Uint32Array(1024), records: 0 })

/**
 * Appends the key of the next record, its type and id; an empty key stands for a record without an id and matches nothing.
 * Past the bound nothing is kept, so `records` then stays behind the file.
 */
export function addId(ids: FileIds, key: string): void {
  if (ids.records >= rememberedIdsMax) return
  if (ids.words.length < 2 * ids.records + 2) {
    const larger = new Uint32Array(ids.words.length * 2)
    larger.set(ids.words)
    ids.words = larger
  }
  if (key !== '') hashInto(key, ids.words, 2 * ids.records)
  ids.records++
}

/**
 * The ids met so far, as hashes in an open-addressing table. That any two different ids of ten million share a hash
 * has a probability of 3 in a million.
 */
export class RememberedIds {
  #table = new Uint32Array(2 * 1024)
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Adds the ids of a file; returns the numbers (from 1) of its first repeating record and of all repeats. */
  add({ words, records }: FileIds): { first: number; repeats: number } {
    let first = 0
    let repeats = 0
    for (let record = 0; record < records; record++) {
      const high = words[2 * record]!
      const low = words[2 * record + 1]!
      if ((high === 0 && low === 0) || this.#insert(high, low)) continue
      repeats++
      if (first === 0) first = record + 1
    }
    return { first, repeats }
  }

  #insert(high: number, low: number): boolean {
    if (this.#size >= this.#table.length * 0.3) this.#grow()
    const table = this.#table
    const mask = table.length / 2 - 1
    let slot = low & mask
    while (table[2 * slot] !== 0 || table[2 * slot + 1] !== 0) {
      if (table[2 * slot] === high && table[2 * slot + 1] === low) return false
      slot = (slot + 1) & mask
    }
    table[2 * slot] = high
    table[2 * slot + 1] = low
    this.#size++
    return true
  }

  #grow(): void {
    const old = this.#table
    this.#table = new Uint32Array(old.length * 2)
    this.#size = 0
    for (let word = 0; word < old.length; word += 2) {
      const high = old[word]!
      const low = old[word + 1]!
      if (high !== 0 || low !== 0) this.#insert(high, low)
    }
  }
}

/** Two 32-bit multiply-and-xor hashes with different constants (the finalisers are MurmurHash3's), never both zero. */
function hashInto(text: string, words: Uint32Array, offset: number): void {
  let high = 0xdeadbeef
  let low = 0x41c6ce57
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    high = Math.imul(high ^ unit, 2654435761)
    low = Math.imul(low ^ unit, 1597334677)
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909)
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909)
  words[offset] = high
  words[offset + 1] = low
  if (words[offset] === 0 && words[offset + 1] === 0) words[offset + 1] = 1
}
