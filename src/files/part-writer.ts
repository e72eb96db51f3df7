import { randomUUID } from 'node:crypto'
import { type Deflated, deflateLines } from '../gzip/deflated.ts'
import { memberEndBytes } from '../gzip/member.ts'
import { type Cut, divideLines, NotAsPublished } from './cut.ts'
import type { FileStore } from './file-store.ts'
import { OpenPart } from './open-part.ts'
import { SpareBuffers } from './spare-buffers.ts'

/** A file that is complete but not published yet. Bytes before and after gzip. */
export interface WrittenPart {
  readonly id: string
  readonly type: string
  readonly path: string
  readonly records: number
  readonly bytes: number
  readonly gzipBytes: number
  /** CRC-32 of the lines, and of the file. */
  readonly crc: number
  readonly gzipCrc: number
  /** What stands at its end goes on in the writer's next part. */
  readonly continues: boolean
}

/** Whole lines that stand one after the other, each ended by a line feed. */
export interface LineRun {
  readonly lines: Buffer
  readonly records: number
}

/** Where lines go, one after the other. */
export type LineSink = Pick<PartWriter, 'copy' | 'writeRuns' | 'writeRecords'>

/** What a part needs of the file store. */
type PartStore = Pick<FileStore, 'create'>

/**
 * Deflate level of lines that come as text: 1 costs about a third of the default's time for about a tenth more bytes, and an export
 * that finds no pack is bound by it (docs/decisions/0005).
 */
const linesLevel = 1

/** Lines are gathered up to this size before they are deflated: smaller pieces deflate worse. */
const gatheredBytesMax = 128 * 1024

const buffers = new SpareBuffers(gatheredBytesMax)

/** Deflate adds at most 5 bytes to each 16 KB that it cannot shrink, and a few at the end of each of at most two pieces. */
const deflatedBytesMax = (bytes: number): number => bytes + Math.ceil(bytes / 16_383) * 5 + 2 * 64

/** Writes the lines of one type into gzip files of at most `gzipBytesMax`, cut at line ends; or cut as files were that are made again. */
export class PartWriter {
  readonly parts: WrittenPart[] = []
  /** What was deflated already when it came. */
  readonly copied = { records: 0, bytes: 0 }
  readonly #store: PartStore
  readonly #type: string
  readonly #name: string
  readonly #folder: string
  readonly #gzipBytesMax: number
  readonly #cuts: readonly Cut[] | undefined
  #open: OpenPart | undefined
  #gathered: Buffer | undefined
  #gatheredBytes = 0
  #gatheredRecords = 0

  /**
   * @param folder where in the store: it names the job, the partition and the attempt
   * @param cuts where the files end, in place of their size
   * @param name what the names of the files begin with
   */
  constructor(
    store: PartStore,
    folder: string,
    type: string,
    gzipBytesMax: number,
    cuts?: readonly Cut[],
    name: string = type,
  ) {
    this.#store = store
    this.#folder = folder
    this.#type = type
    this.#name = name
    this.#gzipBytesMax = gzipBytesMax
    this.#cuts = cuts
  }

  /** Adds whole lines, each ended by a line feed. Waits while the file system is slower than the caller. */
  write(lines: Buffer, records: number): Promise<void> {
    return this.writeRuns([{ lines, records }])
  }

  /** Adds whole lines that stand in several places. Waits like `write`. */
  async writeRuns(runs: readonly LineRun[]): Promise<void> {
    for (const { lines, records } of runs) {
      if (this.#gatheredBytes + lines.length > gatheredBytesMax) await this.#settle()
      this.#gather(lines)
      this.#gatheredRecords += records
    }
  }

  /** Adds records, each as a line. Waits like `write`. */
  async writeRecords(records: readonly Buffer[]): Promise<void> {
    for (const record of records) {
      if (this.#gatheredBytes + record.length + 1 > gatheredBytesMax) await this.#settle()
      this.#gather(record, 1)
      this.#gathered![this.#gatheredBytes++] = lineFeed
      this.#gatheredRecords++
    }
  }

  /** @param more how many bytes come right after these */
  #gather(bytes: Buffer, more = 0): void {
    this.#gathered ??= this.#bufferFor(bytes.length + more)
    this.#gatheredBytes += bytes.copy(this.#gathered, this.#gatheredBytes)
  }

  #bufferFor(size: number): Buffer {
    return size > gatheredBytesMax ? Buffer.allocUnsafeSlow(size) : buffers.take()
  }

  /**
   * Adds whole lines that are deflated already: their bytes are copied as they are.
   * @returns undefined when there is nothing to wait for
   */
  copy(lines: Deflated): Promise<void> | undefined {
    this.copied.records += lines.records
    this.copied.bytes += lines.bytes
    if (this.#open && !this.#gathered && this.#hasRoom(lines)) return this.#open.append(lines)
    return this.#settle().then(() => this.#append(lines))
  }

  /** The files are to have the lines of others. */
  get isMadeAgain(): boolean {
    return this.#cuts !== undefined
  }

  /** Bytes of the open file after gzip, but for what is not deflated yet. Where cuts are given it says nothing about the next one. */
  get gzipBytes(): number {
    return this.#cuts ? 0 : this.#openGzipBytes
  }

  get #openGzipBytes(): number {
    return this.#open?.gzipBytes ?? 0
  }

  /** Whether this many bytes of lines will stand in the same file as those before them, however badly they deflate. */
  fits(bytes: number): boolean {
    const waiting = this.#gatheredBytes
    if (this.#cuts) return waiting + (this.#open?.bytes ?? 0) < this.#nextCut.bytes
    if (this.#open === undefined && waiting === 0) return true
    return this.#openGzipBytes + deflatedBytesMax(waiting + bytes) + memberEndBytes <= this.#gzipBytesMax
  }

  /** Completes the open file: what is written next begins another one. */
  async cut(continues: boolean): Promise<void> {
    await this.#settle()
    if (this.#open) await this.#close(continues)
  }

  /** Completes the last file. Without a line there is no file. */
  async end(): Promise<readonly WrittenPart[]> {
    await this.cut(false)
    return this.parts
  }

  /** Gives up: closes what is open. The store's sweeper removes the files, for no row names them. */
  abandon(): void {
    this.#open?.abandon()
    this.#open = undefined
  }

  /** Brings everything that was written into the file. */
  async #settle(): Promise<void> {
    const buffer = this.#gathered
    if (buffer === undefined) return
    const lines = deflateLines(buffer.subarray(0, this.#gatheredBytes), this.#gatheredRecords, linesLevel)
    buffers.give(buffer)
    this.#gathered = undefined
    this.#gatheredBytes = 0
    this.#gatheredRecords = 0
    await this.#append(lines)
  }

  async #append(lines: Deflated): Promise<void> {
    if (this.#cuts) return this.#appendCut(lines)
    if (this.#open && !this.#hasRoom(lines)) await this.#close(false)
    await this.#appendWhole(lines)
  }

  /** Divides the lines where a file is to end within them. */
  async #appendCut(lines: Deflated): Promise<void> {
    const { bytes, continues } = this.#nextCut
    const room = bytes - (this.#open?.bytes ?? 0)
    if (lines.bytes > room) {
      const [head, tail] = divideLines(lines, room, linesLevel)
      await this.#appendCut(head)
      return this.#appendCut(tail)
    }
    await this.#appendWhole(lines)
    if (lines.bytes === room) await this.#close(continues)
  }

  get #nextCut(): Cut {
    const cut = this.#cuts![this.parts.length]
    if (cut === undefined) throw new NotAsPublished('there are more lines')
    return cut
  }

  async #appendWhole(lines: Deflated): Promise<void> {
    this.#open ??= await OpenPart.create(this.#store, `${this.#folder}/${this.#name}-${this.parts.length}.ndjson.gz`)
    await this.#open.append(lines)
  }

  #hasRoom({ blocks, bytes }: Deflated): boolean {
    if (this.#cuts) return this.#open!.bytes + bytes < this.#nextCut.bytes
    return this.#openGzipBytes + blocks.length + memberEndBytes <= this.#gzipBytesMax
  }

  async #close(continues: boolean): Promise<void> {
    const { path, records, bytes, gzipBytes, crc, gzipCrc } = await this.#open!.end()
    this.parts.push({ id: randomUUID(), type: this.#type, path, records, bytes, gzipBytes, crc, gzipCrc, continues })
    this.#open = undefined
  }
}

const lineFeed = 0x0a
