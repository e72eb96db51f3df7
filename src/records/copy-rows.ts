import type { Pool } from 'pg'
import { to as copyTo } from 'pg-copy-streams'

/** The fields of one row of a binary COPY; null stands for SQL null. */
export type Fields = readonly (Buffer | null)[]

const headerBytes = 19
const epochMs = Date.UTC(2000, 0, 1)
const infinity = 0x7f_ff_ff_ff_ff_ff_ff_ffn

/** The milliseconds since 1970 of a timestamptz field, infinite ones too. */
export function instantOf(field: Buffer): number {
  const microseconds = field.readBigInt64BE()
  if (microseconds === infinity) return Number.POSITIVE_INFINITY
  if (microseconds === -infinity - 1n) return Number.NEGATIVE_INFINITY
  return Number(microseconds / 1000n) + epochMs
}

/** Cuts the bytes of `COPY … TO STDOUT (FORMAT BINARY)` into rows, whatever the sizes of the chunks they come in. */
export class CopyParser {
  #held: Buffer = Buffer.alloc(0)
  #headerSeen = false

  /** The rows that are complete with this chunk. Their fields are views of it; what is left of it is copied. */
  push(chunk: Buffer): Fields[] {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    const rows: Fields[] = []
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
      rows.push(row.fields)
      at = row.end
    }
    this.#held = Buffer.from(bytes.subarray(at))
    return rows
  }
}

function rowAt(bytes: Buffer, start: number): { fields: Fields; end: number } | undefined {
  if (start + 2 > bytes.length) return undefined
  const count = bytes.readInt16BE(start)
  if (count < 0) return undefined
  const fields: (Buffer | null)[] = []
  let at = start + 2
  for (let index = 0; index < count; index++) {
    if (at + 4 > bytes.length) return undefined
    const size = bytes.readInt32BE(at)
    at += 4
    if (size < 0) fields.push(null)
    else {
      if (at + size > bytes.length) return undefined
      fields.push(bytes.subarray(at, at + size))
      at += size
    }
  }
  return { fields, end: at }
}

/**
 * Runs a query as a binary COPY and gives its rows in batches, with backpressure: memory stays at about one chunk.
 * A reader that stops early costs the connection, for a running COPY ends in no other way.
 * @param signal stops the reading at once, by an error
 */
export async function* copyRows(pool: Pool, query: string, signal?: AbortSignal): AsyncGenerator<Fields[]> {
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
