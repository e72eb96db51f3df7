/** Mixes 32-bit integers into one 32-bit hash: the same keys always give the same number. */
export function hash(...keys: readonly number[]): number {
  let mixed = 0x9e3779b9
  for (const key of keys) {
    mixed = Math.imul(mixed ^ (key | 0) ^ (mixed >>> 15), 0x85ebca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
    mixed = (mixed ^ (mixed >>> 16)) + 0x6d2b79f5
  }
  return (mixed ^ (mixed >>> 14)) >>> 0
}

/**
 * A seeded stream of numbers (the sfc32 generator). Two streams with the same keys are equal on every machine,
 * so any single patient can be generated again without those before it.
 */
export class Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(...keys: readonly number[]) {
    this.#a = hash(...keys, 1)
    this.#b = hash(...keys, 2)
    this.#c = hash(...keys, 3)
  }

  /** A number in [0, 1). */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum
    return (sum >>> 0) / 4294967296
  }

  /** An integer, both ends included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1))
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.next() * list.length)] as T
  }

  /** A number between the two ends, most often near the middle, as measured values are. */
  between(low: number, high: number): number {
    return low + ((high - low) * (this.next() + this.next() + this.next())) / 3
  }
}
