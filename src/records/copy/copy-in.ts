import { pipeline } from 'node:stream/promises'
import type { ClientBase } from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { type ResourceText, writeStoredLine } from '../../fhir/resource-text.ts'

const signature = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')
const trailer = Buffer.from([0xff, 0xff])
const epochMs = Date.UTC(2000, 0, 1)
const two32 = 2 ** 32
const infinity = 0x7f_ff_ff_ff_ff_ff_ff_ffn
const minusInfinity = -infinity - 1n

/** The bytes that one message of the copy carries, about. */
const chunkBytes = 512 * 1024

/** What a field takes beside its content. */
const fieldBytes = 4
const fixedFieldBytesMax = 8

/** How rows of one table become bytes. */
export interface RowEncoding<Row> {
  readonly table: string
  readonly columns: readonly string[]
  /** What the texts and binary values of a row take at most, in bytes. */
  readonly room: (row: Row) => number
  /** Writes the fields in the order of `columns`. */
  readonly encode: (chunk: CopyChunk, row: Row) => void
}

/** UTF-16 units take at most three bytes of UTF-8. */
export const textRoom = (...texts: readonly string[]): number => 3 * texts.reduce((sum, text) => sum + text.length, 0)

/** Adds rows to a table by binary COPY. */
export async function copyIn<Row>(client: ClientBase, encoding: RowEncoding<Row>, rows: readonly Row[]): Promise<void> {
  if (rows.length === 0) return
  const { table, columns } = encoding
  await pipeline(chunksOf(encoding, rows), copyTarget(client, table, columns))
}

/** The same with rows that are encoded already. */
export async function copyEncoded(
  client: ClientBase,
  table: string,
  columns: readonly string[],
  rows: Buffer,
): Promise<void> {
  await pipeline(piecesOf(rows), copyTarget(client, table, columns))
}

const copyTarget = (client: ClientBase, table: string, columns: readonly string[]) =>
  client.query(copyFrom(`copy ${table} (${columns.join(',')}) from stdin (format binary)`))

function* piecesOf(rows: Buffer): Generator<Buffer> {
  yield signature
  for (let at = 0; at < rows.length; at += chunkBytes) yield rows.subarray(at, at + chunkBytes)
  yield trailer
}

function* chunksOf<Row>({ columns, room, encode }: RowEncoding<Row>, rows: readonly Row[]): Generator<Buffer> {
  yield signature
  const sizeOf = (row: Row) => room(row) + 2 + columns.length * (fieldBytes + fixedFieldBytesMax)
  let chunk = new CopyChunk(firstChunkBytes(rows, sizeOf))
  for (const row of rows) {
    const size = sizeOf(row)
    if (!chunk.hasRoom(size)) {
      yield chunk.bytes()
      chunk = new CopyChunk(Math.max(chunkBytes, size))
    }
    chunk.beginRow(columns.length)
    encode(chunk, row)
  }
  yield chunk.bytes()
  yield trailer
}

/** Few rows do not need a whole chunk. */
function firstChunkBytes<Row>(rows: readonly Row[], sizeOf: (row: Row) => number): number {
  let bytes = 0
  for (const row of rows) {
    bytes += sizeOf(row)
    if (bytes >= chunkBytes) return chunkBytes
  }
  return bytes
}

/**
 * Writes the content of a timestamptz field.
 * @param ms milliseconds since 1970, a whole and finite number
 * @returns where it ends
 */
export function writeInstant(target: Buffer, ms: number, at: number): number {
  const microseconds = (ms - epochMs) * 1000
  const high = Math.floor(microseconds / two32)
  return target.writeUInt32BE(microseconds - high * two32, target.writeInt32BE(high, at))
}

/** Fields of a binary COPY, one after the other, each with its length before it. */
export class CopyChunk {
  readonly #buffer: Buffer
  #at = 0

  /** @param size or what is to be written into */
  constructor(size: number | Buffer) {
    this.#buffer = typeof size === 'number' ? Buffer.allocUnsafeSlow(size) : size
  }

  get length(): number {
    return this.#at
  }

  hasRoom(size: number): boolean {
    return this.#at + size <= this.#buffer.length
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#at)
  }

  beginRow(fields: number): void {
    this.#at = this.#buffer.writeInt16BE(fields, this.#at)
  }

  text(value: string): void {
    const written = this.#buffer.write(value, this.#at + 4)
    this.#at = this.#buffer.writeInt32BE(written, this.#at) + written
  }

  integer(value: number): void {
    this.#at = this.#buffer.writeInt32BE(4, this.#at)
    this.#at = this.#buffer.writeInt32BE(value, this.#at)
  }

  bigint(value: bigint): void {
    this.#at = this.#buffer.writeInt32BE(8, this.#at)
    this.#at = this.#buffer.writeBigInt64BE(value, this.#at)
  }

  /** @param ms milliseconds since 1970; infinite ones too */
  instant(ms: number): void {
    if (ms === Number.POSITIVE_INFINITY) this.bigint(infinity)
    else if (ms === Number.NEGATIVE_INFINITY) this.bigint(minusInfinity)
    else {
      this.#buffer.writeInt32BE(8, this.#at)
      this.#at = writeInstant(this.#buffer, ms, this.#at + fieldBytes)
    }
  }

  flag(value: boolean): void {
    this.#at = this.#buffer.writeInt32BE(1, this.#at)
    this.#at = this.#buffer.writeInt8(value ? 1 : 0, this.#at)
  }

  binary(value: Buffer): void {
    this.#at = this.#buffer.writeInt32BE(value.length, this.#at)
    this.raw(value)
  }

  null(): void {
    this.#at = this.#buffer.writeInt32BE(-1, this.#at)
  }

  /** Bytes without a length before them. */
  raw(bytes: Buffer): void {
    this.#at += bytes.copy(this.#buffer, this.#at)
  }

  /**
   * A binary field that `write` puts together.
   * @returns its content, a view
   */
  composed(write: () => void): Buffer {
    const start = this.#at + fieldBytes
    this.#at = start
    write()
    this.#buffer.writeInt32BE(this.#at - start, start - fieldBytes)
    return this.#buffer.subarray(start, this.#at)
  }

  /** The stored line of a version; null stands for SQL null. */
  line(text: ResourceText | null, version: number, updated: number): void {
    const written = text && writeStoredLine(text, version, updated, this.#buffer, this.#at + 4)
    this.#at = this.#buffer.writeInt32BE(written ?? -1, this.#at) + (written ?? 0)
  }
}
