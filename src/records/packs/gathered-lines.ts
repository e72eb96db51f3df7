/** What is set aside at first, in bytes. */
const roomBytesMin = 256 * 1024

const lineFeed = 0x0a

/** Records put together as lines, each ended by a line feed, in memory that is used again. */
export class GatheredLines {
  records = 0
  #room = Buffer.allocUnsafeSlow(roomBytesMin)
  #used = 0

  /** A view, until more is added. */
  get bytes(): Buffer {
    return this.#room.subarray(0, this.#used)
  }

  get length(): number {
    return this.#used
  }

  add(record: Buffer): void {
    this.#ensureRoom(record.length + 1)
    this.#used += record.copy(this.#room, this.#used)
    this.#room[this.#used++] = lineFeed
    this.records++
  }

  clear(): void {
    this.records = 0
    this.#used = 0
  }

  #ensureRoom(bytes: number): void {
    const needed = this.#used + bytes
    if (needed <= this.#room.length) return
    const room = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#room.length))
    this.bytes.copy(room)
    this.#room = room
  }
}
