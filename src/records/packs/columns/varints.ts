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

  /** Bytes with their number before them. */
  addBytes(bytes: Buffer): void {
    this.add(bytes.length)
    this.#ensureRoom(bytes.length)
    this.#at += bytes.copy(this.#buffer, this.#at)
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

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
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

  /** A view of bytes with their number before them. */
  nextBytes(): Buffer {
    const size = this.next()
    this.#at += size
    return this.#bytes.subarray(this.#at - size, this.#at)
  }
}

/** So many numbers below 2^32. */
export function readEach(read: VarintReader, count: number): Uint32Array {
  const values = new Uint32Array(count)
  for (let index = 0; index < count; index++) values[index] = read.next()
  return values
}

/** So many numbers that are written by what each is more than the one before it. */
export function readSteps(read: VarintReader, count: number): Float64Array {
  const values = new Float64Array(count)
  let before = 0
  for (let index = 0; index < count; index++) values[index] = before += read.nextSigned()
  return values
}
