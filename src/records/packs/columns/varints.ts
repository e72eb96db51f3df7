/** What a number takes at most: 8 bytes of 7 bits hold what a double holds exactly. */
const varintBytesMax = 8

const low7 = 0x7f
const more = 0x80

/** Writes whole numbers below 2^53, seven bits in a byte, the low ones first: small numbers take one byte. */
export class VarintWriter {
  #buffer = Buffer.allocUnsafe(256)
  #at = 0

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#at)
  }

  add(value: number): void {
    this.#ensureRoom(varintBytesMax)
    let rest = value
    for (; rest > low7; rest = Math.floor(rest / more)) this.#buffer[this.#at++] = (rest % more) | more
    this.#buffer[this.#at++] = rest
  }

  /** A number that may be negative, above -2^52 and below 2^52. */
  addSigned(value: number): void {
    this.add(value < 0 ? -2 * value - 1 : 2 * value)
  }

  /** A text in UTF-8, with its length before it. */
  addText(text: string): void {
    const size = Buffer.byteLength(text)
    this.add(size)
    this.#ensureRoom(size)
    this.#at += this.#buffer.write(text, this.#at)
  }

  #ensureRoom(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#buffer.length, this.#at + bytes))
    this.#buffer.copy(larger, 0, 0, this.#at)
    this.#buffer = larger
  }
}

/** Reads what a VarintWriter has written. */
export class VarintReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  next(): number {
    let byte = this.#bytes[this.#at++]!
    if (byte < more) return byte
    let value = byte & low7
    for (let factor = more; ; factor *= more) {
      byte = this.#bytes[this.#at++]!
      value += (byte & low7) * factor
      if (byte < more) return value
    }
  }

  nextSigned(): number {
    const value = this.next()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  nextText(): string {
    const size = this.next()
    this.#at += size
    return this.#bytes.toString('utf8', this.#at - size, this.#at)
  }
}
