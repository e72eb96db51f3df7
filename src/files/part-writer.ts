import { randomUUID } from 'node:crypto'
import { type Deflated, deflateLines } from '../gzip/deflated.ts'
import { memberEndBytes } from '../gzip/member.ts'
import type { FileStore } from './file-store.ts'
import { OpenPart } from './open-part.ts'

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
 * Deflate level of lines that come as text: 1 costs about a third of the default's time for about a tenth more bytes, and an export
 * that finds no pack is bound by it (docs/decisions/0005).
 */
const linesLevel = 1

/** Lines are gathered up to this size before they are deflated: smaller pieces deflate worse. */
const gatheredBytesMax = 256 * 1024

/** Writes the lines of one type into gzip files of at most `gzipBytesMax`, cut at line ends. */
export class PartWriter {
  readonly parts: WrittenPart[] = []
  readonly #store: PartStore
  readonly #type: string
  readonly #folder: string
  readonly #gzipBytesMax: number
  #open: OpenPart | undefined
  #gathered: Buffer[] = []
  #gatheredBytes = 0
  #gatheredRecords = 0
  /** The piece that is being deflated while the next one is gathered. */
  #deflating: Promise<Deflated> | undefined

  /** @param folder where in the store: it names the job, the partition and the attempt */
  constructor(store: PartStore, folder: string, type: string, gzipBytesMax: number) {
    this.#store = store
    this.#folder = folder
    this.#type = type
    this.#gzipBytesMax = gzipBytesMax
  }

  /** Adds whole lines, each ended by a line feed. Waits while the file system is slower than the caller. Keeps `lines`. */
  async write(lines: Buffer, records: number): Promise<void> {
    if (this.#gatheredBytes + lines.length > gatheredBytesMax) await this.#deflateGathered()
    this.#gathered.push(lines)
    this.#gatheredBytes += lines.length
    this.#gatheredRecords += records
  }

  /** Adds whole lines that are deflated already: their bytes are copied as they are. Keeps `lines`. */
  async copy(lines: Deflated): Promise<void> {
    await this.#settle()
    await this.#append(lines)
  }

  /** Completes the last file. Without a line there is no file. */
  async end(): Promise<readonly WrittenPart[]> {
    await this.#settle()
    if (this.#open) await this.#close()
    return this.parts
  }

  /** Gives up: closes what is open. The store's sweeper removes the files, for no row names them. */
  abandon(): void {
    this.#open?.abandon()
    this.#open = undefined
  }

  /** Brings everything that was written into the file. */
  async #settle(): Promise<void> {
    await this.#deflateGathered()
    await this.#appendDeflated()
  }

  async #deflateGathered(): Promise<void> {
    if (this.#gatheredRecords === 0) return
    const lines = this.#gathered.length === 1 ? this.#gathered[0]! : Buffer.concat(this.#gathered)
    const deflating = deflateLines(lines, this.#gatheredRecords, linesLevel)
    this.#gathered = []
    this.#gatheredBytes = 0
    this.#gatheredRecords = 0
    deflating.catch(() => {})
    await this.#appendDeflated()
    this.#deflating = deflating
  }

  async #appendDeflated(): Promise<void> {
    const deflating = this.#deflating
    this.#deflating = undefined
    if (deflating) await this.#append(await deflating)
  }

  async #append(lines: Deflated): Promise<void> {
    const { blocks } = lines
    if (this.#open && this.#open.gzipBytes + blocks.length + memberEndBytes > this.#gzipBytesMax) await this.#close()
    this.#open ??= await OpenPart.create(this.#store, `${this.#folder}/${this.#type}-${this.parts.length}.ndjson.gz`)
    await this.#open.append(lines)
  }

  async #close(): Promise<void> {
    const { path, records, bytes, gzipBytes } = await this.#open!.end()
    this.parts.push({ id: randomUUID(), type: this.#type, path, records, bytes, gzipBytes })
    this.#open = undefined
  }
}
