import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { createGzip, type Gzip } from 'node:zlib'
import type { FileStore } from './file-store.ts'

/** A file that is complete but not published yet. Bytes before and after gzip. */
export interface WrittenPart {
  readonly id: string
  readonly type: string
  readonly path: string
  readonly records: number
  readonly bytes: number
  readonly gzipBytes: number
}

/** What a part needs of the file store. */
type PartStore = Pick<FileStore, 'create'>

/**
 * Deflate level: 1 costs about a third of the default's time for about a tenth more bytes, and an export that finds no pack is
 * bound by it (docs/decisions/0005).
 */
const gzipLevel = 1

/** What deflate may hold back before it writes, in bytes of output. */
const heldBackBytesMax = 256 * 1024

/** Writes the lines of one type into gzip files of at most `gzipBytesMax`, cut at line ends. */
export class PartWriter {
  readonly parts: WrittenPart[] = []
  readonly #store: PartStore
  readonly #type: string
  readonly #folder: string
  readonly #gzipBytesMax: number
  #open: OpenPart | undefined

  /** @param folder where in the store: it names the job, the partition and the attempt */
  constructor(store: PartStore, folder: string, type: string, gzipBytesMax: number) {
    this.#store = store
    this.#folder = folder
    this.#type = type
    this.#gzipBytesMax = gzipBytesMax
  }

  /** Adds whole lines, each ended by a line feed. Waits while the file system is slower than the caller. */
  async write(lines: Buffer, records: number): Promise<void> {
    // Deflate adds at most 5 bytes to each 16 KB that it cannot shrink.
    const worst = lines.length + Math.ceil(lines.length / 16_383) * 5 + heldBackBytesMax
    if (this.#open && this.#open.gzipBytes + worst > this.#gzipBytesMax) await this.#close()
    this.#open ??= await openPart(this.#store, `${this.#folder}/${this.#type}-${this.parts.length}.ndjson.gz`)
    await this.#open.write(lines, records)
  }

  /** Completes the last file. Without a line there is no file. */
  async end(): Promise<readonly WrittenPart[]> {
    if (this.#open) await this.#close()
    return this.parts
  }

  /** Gives up: closes what is open. The store's sweeper removes the files, for no row names them. */
  abandon(): void {
    this.#open?.abandon()
    this.#open = undefined
  }

  async #close(): Promise<void> {
    const { path, records, bytes, gzipBytes } = await this.#open!.end()
    this.parts.push({ id: randomUUID(), type: this.#type, path, records, bytes, gzipBytes })
    this.#open = undefined
  }
}

async function openPart(store: PartStore, path: string): Promise<OpenPart> {
  return new OpenPart(path, await store.create(path))
}

class OpenPart {
  readonly path: string
  records = 0
  bytes = 0
  gzipBytes = 0
  readonly #gzip: Gzip
  readonly #sink: Writable
  readonly #done: Promise<void>

  constructor(path: string, sink: Writable) {
    this.path = path
    this.#sink = sink
    this.#gzip = createGzip({ level: gzipLevel, chunkSize: 256 * 1024 })
    this.#gzip.on('data', (chunk: Buffer) => {
      this.gzipBytes += chunk.length
    })
    this.#gzip.pipe(sink)
    this.#gzip.on('error', (error) => sink.destroy(error))
    this.#done = finished(sink)
    this.#done.catch(() => this.#gzip.destroy())
  }

  async write(lines: Buffer, records: number): Promise<void> {
    this.records += records
    this.bytes += lines.length
    if (!this.#gzip.write(lines)) await Promise.race([once(this.#gzip, 'drain'), this.#done])
  }

  async end(): Promise<this> {
    this.#gzip.end()
    await this.#done
    return this
  }

  abandon(): void {
    this.#done.catch(() => {})
    this.#gzip.destroy()
    this.#sink.destroy()
  }
}
