import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { crc32 } from 'node:zlib'
import { combineCrc32 } from '../gzip/crc32.ts'
import type { Deflated } from '../gzip/deflated.ts'
import { memberEnd, memberHeader } from '../gzip/member.ts'
import type { FileStore } from './file-store.ts'
import { SpareBuffers } from './spare-buffers.ts'

/** Small pieces go to the file system together. */
const gatheredBytesMax = 256 * 1024

const buffers = new SpareBuffers(gatheredBytesMax)

/** A file that is being written: one gzip member, put together from deflated lines. */
export class OpenPart {
  readonly path: string
  records = 0
  bytes = 0
  gzipBytes = 0
  /** CRC-32 of the lines. */
  crc = 0
  /** CRC-32 of the file. */
  gzipCrc = 0
  #gathered: Buffer = buffers.take()
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

  /**
   * Adds lines.
   * @returns undefined, or a promise when the file system is slower than the caller: then wait
   */
  append({ records, bytes, crc, blocks }: Deflated): Promise<void> | undefined {
    this.crc = combineCrc32(this.crc, crc, bytes)
    this.records += records
    this.bytes += bytes
    return this.#gather(blocks) ? undefined : this.#drained()
  }

  /** @returns whether more may be added at once */
  #gather(bytes: Buffer): boolean {
    this.gzipBytes += bytes.length
    let writable = true
    for (let at = 0; at < bytes.length; ) {
      if (this.#gatheredBytes === gatheredBytesMax) writable = this.#write()
      const copied = bytes.copy(this.#gathered, this.#gatheredBytes, at)
      this.#gatheredBytes += copied
      at += copied
    }
    return writable
  }

  #write(): boolean {
    const full = this.#gathered
    const bytes = this.#checked(full.subarray(0, this.#gatheredBytes))
    this.#gathered = buffers.take()
    this.#gatheredBytes = 0
    return this.#sink.write(bytes, () => buffers.give(full))
  }

  /** Takes bytes that go into the file into its checksum. */
  #checked(bytes: Buffer): Buffer {
    this.gzipCrc = crc32(bytes, this.gzipCrc)
    return bytes
  }

  async #drained(): Promise<void> {
    await Promise.race([once(this.#sink, 'drain'), this.#done])
  }

  async end(): Promise<this> {
    this.#gather(memberEnd(this.crc, this.bytes))
    this.#sink.end(this.#checked(this.#gathered.subarray(0, this.#gatheredBytes)))
    await this.#done
    buffers.give(this.#gathered)
    return this
  }

  abandon(): void {
    this.#sink.destroy()
  }
}
