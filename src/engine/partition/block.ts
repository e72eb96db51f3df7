import type { LineRun, PartWriter } from '../../files/part-writer.ts'
import { type Deflated, inflateLines } from '../../gzip/deflated.ts'
import { partGzipBytesMax } from '../../protocol/limits.ts'

/**
 * The records of one patient in files that are organized by patient (IG 3.0.0): a Parameters resource that names the patient, then the
 * records. In each file that a block goes on in, the Parameters stand again. Without a record there is no block. Where files are made
 * again, what may end within lines that come together is added line by line.
 */
export class Block {
  readonly #writer: PartWriter
  readonly #header: Buffer
  /** A block that begins in a file of at most this size is not divided unless it is as large itself. */
  readonly #startGzipBytesMax: number
  #begun = false

  /** @param gzipBytesMax the bound of the writer's files */
  constructor(writer: PartWriter, owner: string, gzipBytesMax = partGzipBytesMax) {
    this.#writer = writer
    this.#startGzipBytesMax = gzipBytesMax / 2
    const parameter = [{ name: 'header', valueReference: { reference: `Patient/${owner}` } }]
    this.#header = Buffer.from(`${JSON.stringify({ resourceType: 'Parameters', parameter })}\n`)
  }

  /** Adds records, each as a line. */
  async writeRecords(records: readonly Buffer[]): Promise<void> {
    for (const record of records) {
      await this.#makeRoom(record.length + 1)
      await this.#writer.writeRecords([record])
    }
  }

  /** Adds whole lines. */
  async writeRuns(runs: readonly LineRun[]): Promise<void> {
    for (const run of runs) {
      for (const { lines, records } of this.#writer.isMadeAgain ? eachLine(run) : [run]) {
        await this.#makeRoom(lines.length)
        await this.#writer.write(lines, records)
      }
    }
  }

  /** Adds whole lines that are deflated already. */
  async copy(lines: Deflated): Promise<void> {
    if (this.#writer.isMadeAgain) return this.writeRuns([{ lines: inflateLines(lines), records: lines.records }])
    await this.#makeRoom(lines.bytes)
    await this.#writer.copy(lines)
  }

  /** Begins the block where it has not begun, and again in another file when so many bytes of lines may not fit in the open one. */
  async #makeRoom(bytes: number): Promise<void> {
    const fits = this.#writer.fits(this.#header.length + bytes)
    if (this.#begun && fits) return
    if (!fits || this.#writer.gzipBytes > this.#startGzipBytesMax) await this.#writer.cut(this.#begun)
    this.#begun = true
    await this.#writer.write(this.#header, 1)
  }
}

const lineFeed = 0x0a

function* eachLine({ lines }: LineRun): Generator<LineRun> {
  for (let start = 0, end = 0; start < lines.length; start = end) {
    end = lines.indexOf(lineFeed, start) + 1
    yield { lines: lines.subarray(start, end), records: 1 }
  }
}
