import { CopyRow } from './copied-row.ts'

/** Rows stand in pieces of this size, one after the other; a larger row has one of its own. */
const pieceBytes = 128 * 1024

/**
 * Buffers in which the rows of a COPY stand, for the messages that they come in are overwritten. Pieces take turns: a row stays until
 * the second batch after it is taken in, so while one batch is read the next one comes.
 */
export class RowBuffers {
  #piece: Buffer = Buffer.alloc(0)
  #used = 0
  /** Pieces with rows that are to be given, with rows that were given last, and with rows that nobody looks at any more. */
  #filled: Buffer[] = []
  #given: Buffer[] = []
  #free: Buffer[] = []

  /**
   * Takes in a row.
   * @param start where it begins in its message
   * @returns undefined when the message does not hold just a row
   */
  take(message: Buffer, start: number): CopyRow | undefined {
    if (this.#used + message.length > this.#piece.length) this.#begin(message.length)
    const at = this.#used
    this.#used += message.copy(this.#piece, at)
    const row = CopyRow.at(this.#piece, at + start)
    return row?.end === this.#used ? row : undefined
  }

  #begin(size: number): void {
    this.#piece = (size <= pieceBytes && this.#free.pop()) || Buffer.allocUnsafeSlow(Math.max(size, pieceBytes))
    this.#used = 0
    if (this.#piece.length === pieceBytes) this.#filled.push(this.#piece)
  }

  /** The rows taken in are given away, and those given before have been read. */
  turn(): void {
    this.#free.push(...this.#given)
    this.#given = this.#filled
    this.#filled = []
    this.#piece = Buffer.alloc(0)
    this.#used = 0
  }
}
