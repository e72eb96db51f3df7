import { hashOfKey } from './json-cursor.ts'

/** Some keys, which are found by their bytes: no string is made to look one up. */
export class KeyTable {
  readonly #keys: readonly string[]
  readonly #hashes: Int32Array
  /** Open addressing: the index of a key stands at its hash, or behind it where that is taken; -1 where there is none. */
  readonly #slots: Int16Array
  readonly #mask: number

  /** @param keys ASCII */
  constructor(keys: readonly string[]) {
    this.#keys = keys
    this.#hashes = Int32Array.from(keys, hashOfKey)
    const slots = 2 ** Math.ceil(Math.log2(keys.length * 4 + 1))
    this.#slots = new Int16Array(slots).fill(-1)
    this.#mask = slots - 1
    for (let index = 0; index < keys.length; index++) this.#slots[this.#free(this.#hashes[index]!)] = index
  }

  #free(hash: number): number {
    let slot = hash & this.#mask
    while (this.#slots[slot]! >= 0) slot = (slot + 1) & this.#mask
    return slot
  }

  /**
   * The index of the key that stands in [start, end); -1 when it is none of these.
   * @param hash of what stands there, see `hashOfKey`
   */
  indexOf(hash: number, bytes: Uint8Array, start: number, end: number): number {
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const index = this.#slots[slot]!
      if (index < 0 || (this.#hashes[index] === hash && isText(this.#keys[index]!, bytes, start, end))) return index
    }
  }
}

function isText(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) !== bytes[start + at]) return false
  return true
}
