import type { Pool } from 'pg'
import { to as copyTo } from 'pg-copy-streams'

const headerBytes = 19
const epochMs = Date.UTC(2000, 0, 1)
const two32 = 2 ** 32
/** The greatest and the least 64-bit integer, as numbers. */
const infinity = 2 ** 63

/** One row of a binary COPY: a view of the chunk that it came in. Fields are numbered from 0; what is read must not be null. */
export class CopyRow {
  readonly #bytes: Buffer
  /** Where the content of each field begins; its length stands before it. */
  readonly #starts: readonly number[]

  constructor(bytes: Buffer, starts: readonly number[]) {
    this.#bytes = bytes
    this.#starts = starts
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

  /** The bytes of all fields before this one, their lengths included. */
  before(field: number): Buffer {
    return this.#bytes.subarray(this.#starts[0]! - fieldBytes, this.#starts[field]! - fieldBytes)
  }

  #size(field: number): number {
    return this.#bytes.readInt32BE(this.#starts[field]! - fieldBytes)
  }
}

/** What stands before the content of a field: its length, or -1 for null. */
const fieldBytes = 4

/** Cuts the bytes of `COPY … TO STDOUT (FORMAT BINARY)` into rows, whatever the sizes of the chunks they come in. */
export class CopyParser {
  #held: Buffer = Buffer.alloc(0)
  #headerSeen = false

  /** The rows that are complete with this chunk. Their fields are views of it; what is left of it is copied. */
  push(chunk: Buffer): CopyRow[] {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    const rows: CopyRow[] = []
    let at = 0
    if (!this.#headerSeen) {
      if (bytes.length < headerBytes) {
        this.#held = Buffer.from(bytes)
        return rows
      }
      at = headerBytes
      this.#headerSeen = true
    }
    for (;;) {
      const row = rowAt(bytes, at)
      if (row === undefined) break
      rows.push(new CopyRow(bytes, row.starts))
      at = row.end
    }
    this.#held = Buffer.from(bytes.subarray(at))
    return rows
  }
}

function rowAt(bytes: Buffer, start: number): { starts: number[]; end: number } | undefined {
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
  return { starts, end: at }
}

/**
 * Runs a query as a binary COPY and gives its rows in batches, with backpressure: memory stays at about one chunk.
 * A reader that stops early costs the connection, for a running COPY ends in no other way.
 * @param signal stops the reading at once, by an error
 */
export async function* copyRows(pool: Pool, query: string, signal?: AbortSignal): AsyncGenerator<CopyRow[]> {
  signal?.throwIfAborted()
  const client = await pool.connect()
  const stream = client.query(copyTo(`copy (${query}) to stdout (format binary)`))
  const stop = () => stream.destroy(signal!.reason as Error)
  signal?.addEventListener('abort', stop)
  let finished = false
  try {
    const parser = new CopyParser()
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      const rows = parser.push(chunk)
      if (rows.length > 0) yield rows
    }
    finished = true
  } finally {
    signal?.removeEventListener('abort', stop)
    client.release(finished ? undefined : new Error('the copy was broken off'))
  }
}
