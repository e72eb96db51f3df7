const epochMs = Date.UTC(2000, 0, 1)
const two32 = 2 ** 32
/** The greatest and the least 64-bit integer, as numbers. */
const infinity = 2 ** 63

/** What stands before the content of a field: its length, or -1 for null. */
const fieldBytes = 4

/** One row of a binary COPY: a view of the bytes that it stands in. Fields are numbered from 0; what is read must not be null. */
export class CopyRow {
  readonly #bytes: Buffer
  /** Where the content of each field begins; its length stands before it. */
  readonly #starts: readonly number[]
  /** Where the row ends in the bytes. */
  readonly end: number

  private constructor(bytes: Buffer, starts: readonly number[], end: number) {
    this.#bytes = bytes
    this.#starts = starts
    this.end = end
  }

  /** The row that begins at a position, or undefined when it is not complete, or no row. */
  static at(bytes: Buffer, start: number): CopyRow | undefined {
    if (start + 2 > bytes.length) return undefined
    const count = bytes.readInt16BE(start)
    if (count < 0) return undefined
    const starts: number[] = new Array(count)
    let at = start + 2
    for (let index = 0; index < count; index++) {
      if (at + fieldBytes > bytes.length) return undefined
      const size = bytes.readInt32BE(at)
      at += fieldBytes
      starts[index] = at
      if (size > 0) at += size
      if (at > bytes.length) return undefined
    }
    return new CopyRow(bytes, starts, at)
  }

  get length(): number {
    return this.#starts.length
  }

  isNull(field: number): boolean {
    return this.#size(field) < 0
  }

  /** A bytea or text field. */
  binary(field: number): Buffer {
    const start = this.#starts[field]!
    return this.#bytes.subarray(start, start + this.#size(field))
  }

  /** A text field of ASCII characters. */
  text(field: number): string {
    const size = this.#size(field)
    if (size === 0) return ''
    const start = this.#starts[field]!
    return this.#bytes.toString('latin1', start, start + size)
  }

  /** Whether a text field says just this, which is ASCII. No string is made for it. */
  says(field: number, expected: string): boolean {
    const start = this.#starts[field]!
    if (this.#size(field) !== expected.length) return false
    for (let index = 0; index < expected.length; index++) {
      if (this.#bytes[start + index] !== expected.charCodeAt(index)) return false
    }
    return true
  }

  integer(field: number): number {
    return this.#bytes.readInt32BE(this.#starts[field]!)
  }

  /** A bigint field between -2^53 and 2^53. */
  bigint(field: number): number {
    const start = this.#starts[field]!
    return this.#bytes.readInt32BE(start) * two32 + this.#bytes.readUInt32BE(start + 4)
  }

  flag(field: number): boolean {
    return this.#bytes[this.#starts[field]!] === 1
  }

  /** The milliseconds since 1970 of a timestamptz field, infinite ones too. */
  instant(field: number): number {
    const microseconds = this.bigint(field)
    if (microseconds === infinity) return Number.POSITIVE_INFINITY
    if (microseconds === -infinity) return Number.NEGATIVE_INFINITY
    return Math.trunc(microseconds / 1000) + epochMs
  }

  #size(field: number): number {
    return this.#bytes.readInt32BE(this.#starts[field]! - fieldBytes)
  }
}
