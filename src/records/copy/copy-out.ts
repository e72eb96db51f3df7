import type { Connection, Pool, Submittable } from 'pg'
import type { CopyRow } from './copied-row.ts'
import { RowBuffers } from './row-buffers.ts'

/** What stands before the first row, and in place of the number of fields after the last one. */
const headerBytes = 19
const endOfRows = -1

/** Bytes of rows that wait for their reader before the database is told to wait, but for those of one piece of the network's. */
const waitingBytesMax = 256 * 1024

/**
 * Stands before a COPY, in its message and so in its transaction. It takes as long as its reader, who may have other work between two
 * batches, so no time says that it is endless: its signal ends it, and the session's bounds on silence.
 */
const unboundSql = 'set local statement_timeout = 0;'

/** A running `COPY … TO STDOUT (FORMAT BINARY)`: PostgreSQL sends each row as a message of its own. */
class CopyOut implements Submittable {
  readonly text: string
  readonly #buffers = new RowBuffers()
  #connection: Connection | undefined
  #headerSeen = false
  #rows: CopyRow[] = []
  #waitingBytes = 0
  #ended = false
  #error: Error | undefined
  #wake: () => void = () => {}

  constructor(query: string) {
    this.text = query
  }

  submit(connection: Connection): void {
    this.#connection = connection
    connection.query(this.text)
  }

  /** @param message its chunk is overwritten by the next ones */
  handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    const start = this.#headerSeen ? 0 : headerBytes
    this.#headerSeen = true
    if (chunk.length === start + 2 && chunk.readInt16BE(start) === endOfRows) return
    const row = this.#buffers.take(chunk, start)
    if (row === undefined) {
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
    this.#buffers.turn()
    if (this.#waitingBytes > waitingBytesMax) this.#connection!.stream.resume()
    this.#waitingBytes = 0
    return rows
  }
}

/**
 * Runs a query as a binary COPY and gives its rows in batches, with backpressure. Who asks for the next batch must be done with the one
 * before: its bytes are overwritten.
 * A reader that stops early costs the connection, for a running COPY ends in no other way.
 * @param signal stops the reading at once, by an error
 */
export async function* copyRows(pool: Pool, query: string, signal?: AbortSignal): AsyncGenerator<CopyRow[]> {
  signal?.throwIfAborted()
  const client = await pool.connect()
  const copy = new CopyOut(`${unboundSql} copy (${query}) to stdout (format binary)`)
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
