import { hash } from 'node:crypto'

/** Places of one key. In 4 MiB, one in a hundred thousand other keys is mistaken when 500,000 are in, one in fifteen with 6 million. */
const placesOfKey = 4

/**
 * A set of texts that says "no" for certain and "yes" perhaps wrongly, in memory that does not grow (a Bloom filter). For questions
 * where a wrong "yes" costs only time.
 */
export class KeyFilter {
  readonly #bits: Uint32Array
  #empty = true

  /** @param bytes a power of two */
  constructor(bytes: number) {
    this.#bits = new Uint32Array(bytes / Uint32Array.BYTES_PER_ELEMENT)
  }

  get isEmpty(): boolean {
    return this.#empty
  }

  add(key: string): void {
    this.#empty = false
    for (const place of this.#placesOf(key)) this.#bits[place >>> 5]! |= 1 << (place & 31)
  }

  mayHave(key: string): boolean {
    if (this.#empty) return false
    return this.#placesOf(key).every((place) => (this.#bits[place >>> 5]! & (1 << (place & 31))) !== 0)
  }

  #placesOf(key: string): number[] {
    const digest = Buffer.from(hash('sha1', key, 'binary'), 'latin1')
    const mask = this.#bits.length * 32 - 1
    return Array.from({ length: placesOfKey }, (_, index) => (digest.readUInt32LE(index * 4) & mask) >>> 0)
  }
}
