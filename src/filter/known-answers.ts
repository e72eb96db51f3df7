/** The answers that are kept at a time, and what the texts that they are about may weigh together. */
export const knownAnswersMax = 2_048
export const knownTextsBytesMax = 128 * 1024

/** Longer texts are not kept: they are hardly met twice. */
export const knownTextBytesMax = 1_024

/**
 * Answers to questions about texts. Records say the same again and again, such as a status, a category or a code: what has been parsed and
 * judged once need not be parsed again.
 */
export class KnownAnswers {
  readonly #texts = Buffer.allocUnsafe(knownTextsBytesMax)
  #used = 0
  /** By slot where its text begins and ends, and what was asked; a text that ends at 0 is none. */
  readonly #starts = new Int32Array(knownAnswersMax)
  readonly #ends = new Int32Array(knownAnswersMax)
  readonly #questions = new Int32Array(knownAnswersMax)
  readonly #answers = new Uint8Array(knownAnswersMax)
  /** The slot that the last look led to. */
  #slot = 0

  /** The answer to a question about the text in [start, end), if it is known. */
  of(question: number, bytes: Uint8Array, start: number, end: number): boolean | undefined {
    const length = end - start
    if (length > knownTextBytesMax) return undefined
    const slot = hashOf(question, bytes, start, end) & (knownAnswersMax - 1)
    this.#slot = slot
    const known = this.#starts[slot]!
    if (this.#questions[slot] !== question || this.#ends[slot]! - known !== length) return undefined
    const texts = this.#texts
    for (let at = 0; at < length; at++) if (texts[known + at] !== bytes[start + at]) return undefined
    return this.#answers[slot] === 1
  }

  /** Keeps the answer that was asked for last, and was not known. */
  keep(question: number, bytes: Uint8Array, start: number, end: number, answer: boolean): void {
    const length = end - start
    if (length > knownTextBytesMax) return
    if (this.#used + length > knownTextsBytesMax) this.#forget()
    const slot = this.#slot
    this.#questions[slot] = question
    this.#answers[slot] = answer ? 1 : 0
    this.#starts[slot] = this.#used
    for (let at = start; at < end; at++) this.#texts[this.#used++] = bytes[at]!
    this.#ends[slot] = this.#used
  }

  #forget(): void {
    this.#ends.fill(0)
    this.#starts.fill(0)
    this.#used = 0
  }
}

/** Four bytes at a time: a hash of one byte after the other takes longer than all else that is done for a text. */
function hashOf(question: number, bytes: Uint8Array, start: number, end: number): number {
  let hash = question
  let at = start
  for (; at + 4 <= end; at += 4) {
    const four = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    hash = mixed(hash, four)
  }
  for (; at < end; at++) hash = mixed(hash, bytes[at]!)
  return hash ^ (hash >>> 15)
}

/** Keeps what stands in high bits in play (murmur). */
function mixed(hash: number, value: number): number {
  const mix = Math.imul(hash ^ value, 0x5bd1e995)
  return mix ^ (mix >>> 13)
}
