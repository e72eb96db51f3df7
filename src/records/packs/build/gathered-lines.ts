/** What is set aside at first, in bytes. */
const bufferBytesMin = 256 * 1024

const lineFeed = 0x0a

/** Records put together as lines, each ended by a line feed, in memory that is used again. */
export class GatheredLines {
  records = 0
  #buffer = Buffer.allocUnsafeSlow(bufferBytesMin)
  #used = 0

  /** A view, until more is added. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#used)
  }

  get length(): number {
    return this.#used
  }

  add(record: Buffer): void {
    this.#ensureRoom(record.length + 1)
    this.#used += record.copy(this.#buffer, this.#used)
    this.#buffer[this.#used++] = lineFeed
    this.records++
  }

  clear(): void {
    this.records = 0
    this.#used = 0
  }

  #ensureRoom(bytes: number): void {
    const needed = this.#used + bytes
    if (needed <= this.#buffer.length) return
    const buffer = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#buffer.length))
    this.bytes.copy(buffer)
    this.#buffer = buffer
  }
}
