import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { combineCrc32 } from '../gzip/crc32.ts'
import type { Deflated } from '../gzip/deflated.ts'
import { memberEnd, memberHeader } from '../gzip/member.ts'
import type { FileStore } from './file-store.ts'

/** Small pieces go to the file system together, in one vectored write of about so many bytes. */
const gatheredBytesMin = 256 * 1024

/** A file that is being written: one gzip member, put together from deflated lines. */
export class OpenPart {
  readonly path: string
  records = 0
  bytes = 0
  gzipBytes = 0
  #crc = 0
  #gathered: Buffer[] = []
  #gatheredBytes = 0
  readonly #sink: Writable
  readonly #done: Promise<void>

  static async create(store: Pick<FileStore, 'create'>, path: string): Promise<OpenPart> {
    return new OpenPart(path, await store.create(path))
  }

  private constructor(path: string, sink: Writable) {
    this.path = path
    this.#sink = sink
    this.#done = finished(sink)
    this.#done.catch(() => {})
    this.#gather(memberHeader)
  }

  /** Waits while the file system is slower than the caller. */
  async append({ records, bytes, crc, blocks }: Deflated): Promise<void> {
    this.#crc = combineCrc32(this.#crc, crc, bytes)
    this.records += records
    this.bytes += bytes
    this.#gather(blocks)
    if (this.#gatheredBytes < gatheredBytesMin) return
    if (!this.#write()) await Promise.race([once(this.#sink, 'drain'), this.#done])
  }

  #gather(bytes: Buffer): void {
    this.gzipBytes += bytes.length
    this.#gathered.push(bytes)
    this.#gatheredBytes += bytes.length
  }

  /** @returns whether more may be written at once */
  #write(): boolean {
    let writable = true
    this.#sink.cork()
    for (const bytes of this.#gathered) writable = this.#sink.write(bytes)
    this.#sink.uncork()
    this.#gathered = []
    this.#gatheredBytes = 0
    return writable
  }

  async end(): Promise<this> {
    this.#gather(memberEnd(this.#crc, this.bytes))
    this.#write()
    this.#sink.end()
    await this.#done
    return this
  }

  abandon(): void {
    this.#sink.destroy()
  }
}
