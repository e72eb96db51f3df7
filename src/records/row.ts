import { pipeline } from 'node:stream/promises'
import type { ClientBase } from 'pg'
import { from as copyFrom } from 'pg-copy-streams'

/** One row of the table `record`, not yet superseded. Times are milliseconds since 1970. */
export interface Row {
  readonly owner: string
  readonly type: string
  readonly id: string
  readonly version: number
  readonly written: number
  readonly updated: number
  readonly lead: boolean
  readonly shared: boolean
  readonly refs: string
  readonly targets: string
  readonly digest: Buffer
  /** null for a tombstone */
  readonly body: string | null
}

const columns = 'tenant,owner,type,id,version,written,updated,deleted,lead,shared,refs,targets,digest,body'
const columnCount = 14
const signature = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')
const trailer = Buffer.from([0xff, 0xff])
const epochMs = Date.UTC(2000, 0, 1)

/** The bytes that one message of the copy carries, about. */
const chunkBytes = 512 * 1024

/** Adds rows to the store by binary COPY. */
export async function insertRows(client: ClientBase, tenant: string, rows: readonly Row[]): Promise<void> {
  if (rows.length === 0) return
  await pipeline(
    copyChunks(tenant, rows),
    client.query(copyFrom(`copy record (${columns}) from stdin (format binary)`)),
  )
}

function* copyChunks(tenant: string, rows: readonly Row[]): Generator<Buffer> {
  yield signature
  let chunk = new Chunk(chunkBytes)
  for (const row of rows) {
    const room = roomFor(tenant, row)
    if (!chunk.hasRoom(room)) {
      yield chunk.bytes()
      chunk = new Chunk(Math.max(chunkBytes, room))
    }
    encodeRow(chunk, tenant, row)
  }
  yield chunk.bytes()
  yield trailer
}

/** UTF-16 units take at most three bytes of UTF-8; the rest of a row is small. */
function roomFor(tenant: string, row: Row): number {
  const { owner, type, id, refs, targets, digest, body } = row
  const units = tenant.length + owner.length + type.length + id.length + refs.length + targets.length
  return 3 * (units + (body?.length ?? 0)) + digest.length + 2 + columnCount * 12
}

/** Fields of a binary COPY, one after the other, each with its length before it. */
class Chunk {
  readonly #buffer: Buffer
  #at = 0

  constructor(size: number) {
    this.#buffer = Buffer.allocUnsafeSlow(size)
  }

  hasRoom(size: number): boolean {
    return this.#at + size <= this.#buffer.length
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#at)
  }

  beginRow(): void {
    this.#at = this.#buffer.writeInt16BE(columnCount, this.#at)
  }

  text(value: string | null): void {
    const written = value === null ? -1 : this.#buffer.write(value, this.#at + 4)
    this.#at = this.#buffer.writeInt32BE(written, this.#at) + Math.max(0, written)
  }

  integer(value: number): void {
    this.#at = this.#buffer.writeInt32BE(4, this.#at)
    this.#at = this.#buffer.writeInt32BE(value, this.#at)
  }

  instant(ms: number): void {
    this.#at = this.#buffer.writeInt32BE(8, this.#at)
    this.#at = this.#buffer.writeBigInt64BE(BigInt(ms - epochMs) * 1000n, this.#at)
  }

  flag(value: boolean): void {
    this.#at = this.#buffer.writeInt32BE(1, this.#at)
    this.#at = this.#buffer.writeInt8(value ? 1 : 0, this.#at)
  }

  binary(value: Buffer): void {
    this.#at = this.#buffer.writeInt32BE(value.length, this.#at)
    this.#at += value.copy(this.#buffer, this.#at)
  }
}

function encodeRow(chunk: Chunk, tenant: string, row: Row): void {
  chunk.beginRow()
  chunk.text(tenant)
  chunk.text(row.owner)
  chunk.text(row.type)
  chunk.text(row.id)
  chunk.integer(row.version)
  chunk.instant(row.written)
  chunk.instant(row.updated)
  chunk.flag(row.body === null)
  chunk.flag(row.lead)
  chunk.flag(row.shared)
  chunk.text(row.refs)
  chunk.text(row.targets)
  chunk.binary(row.digest)
  chunk.text(row.body)
}
