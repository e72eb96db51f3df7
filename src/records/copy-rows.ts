import type { Connection, Pool, Submittable } from 'pg'

/** What stands before the first row, and in place of the number of fields after the last one. */
const headerBytes = 19
const endOfRows = -1
const epochMs = Date.UTC(2000, 0, 1)
const two32 = 2 ** 32
/** The greatest and the least 64-bit integer, as numbers. */
const infinity = 2 ** 63

/** One row of a binary COPY: a view of the chunk that it came in. Fields are numbered from 0; what is read must not be null. */
export class CopyRow {
  readonly #bytes: Buffer
  /** Where the content of each field begins; its length stands before it. */
  readonly #starts: readonly number[]
  /** Where the row ends in the chunk. */
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
    const starts: number[] = []
    let at = start + 2
    for (let index = 0; index < count; index++) {
      if (at + fieldBytes > bytes.length) return undefined
      const size = bytes.readInt32BE(at)
      at += fieldBytes
      starts.push(at)
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
    const start = this.#starts[field]!
    return this.#bytes.toString('latin1', start, start + this.#size(field))
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

/** What stands before the content of a field: its length, or -1 for null. */
const fieldBytes = 4

/** Bytes of rows that wait for their reader before the database is told to wait, but for those of one piece of the network's. */
const waitingBytesMax = 256 * 1024

/** A running `COPY … TO STDOUT (FORMAT BINARY)`: PostgreSQL sends each row as a message of its own. */
class CopyOut implements Submittable {
  readonly #query: string
  #connection: Connection | undefined
  #headerSeen = false
  #rows: CopyRow[] = []
  #waitingBytes = 0
  #ended = false
  #error: Error | undefined
  #wake: () => void = () => {}

  constructor(query: string) {
    this.#query = query
  }

  submit(connection: Connection): void {
    this.#connection = connection
    connection.query(this.#query)
  }

  /** @param message its chunk is overwritten by the next ones */
  handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    const start = this.#headerSeen ? 0 : headerBytes
    this.#headerSeen = true
    if (chunk.length === start + 2 && chunk.readInt16BE(start) === endOfRows) return
    const row = CopyRow.at(Buffer.from(chunk), start)
    if (row?.end !== chunk.length) {
      this.fail(new Error('a message of the copy is not a row'))
      return
    }
    this.#rows.push(row)
    this.#waitingBytes += chunk.length
    if (this.#waitingBytes > waitingBytesMax) this.#connection!.stream.pause()
    this.#wake()
  }

  handleError(error: Error): void {
    this.fail(error)
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.#ended = true
    this.#wake()
  }

  /** The reader gets this error. */
  fail(error: Error): void {
    this.#error ??= error
    this.#wake()
  }

  /** The rows that have come; undefined after the last one. */
  async next(): Promise<CopyRow[] | undefined> {
    while (this.#rows.length === 0 && !this.#ended && !this.#error) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    if (this.#error) throw this.#error
    const rows = this.#rows
    if (rows.length === 0) return undefined
    this.#rows = []
    if (this.#waitingBytes > waitingBytesMax) this.#connection!.stream.resume()
    this.#waitingBytes = 0
    return rows
  }
}

/**
 * Runs a query as a binary COPY and gives its rows in batches, with backpressure.
 * A reader that stops early costs the connection, for a running COPY ends in no other way.
 * @param signal stops the reading at once, by an error
 */
export async function* copyRows(pool: Pool, query: string, signal?: AbortSignal): AsyncGenerator<CopyRow[]> {
  signal?.throwIfAborted()
  const client = await pool.connect()
  const copy = new CopyOut(`copy (${query}) to stdout (format binary)`)
  const stop = () => copy.fail(signal!.reason as Error)
  signal?.addEventListener('abort', stop)
  let finished = false
  try {
    signal?.throwIfAborted()
    client.query(copy)
    for (let rows = await copy.next(); rows !== undefined; rows = await copy.next()) yield rows
    finished = true
  } finally {
    signal?.removeEventListener('abort', stop)
    client.release(finished ? undefined : new Error('the copy was broken off'))
  }
}
