import type { PartWriter } from '../../files/part-writer.ts'
import { partGzipBytesMax } from '../../protocol/limits.ts'
import type { RecordAsOf } from '../../records/as-of.ts'

/**
 * The records of one patient in files that are organized by patient (IG 3.0.0): a Parameters resource that names the patient, then the
 * records. In each file that a block goes on in, the Parameters stand again. Without a record there is no block.
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

  async write(records: readonly Pick<RecordAsOf, 'body'>[]): Promise<void> {
    if (records.length === 0) return
    const lines = linesOf(records)
    const fits = this.#writer.fits(this.#header.length + lines.length)
    const begins = !this.#begun || !fits
    if (!fits || (!this.#begun && this.#writer.gzipBytes > this.#startGzipBytesMax)) await this.#writer.cut(this.#begun)
    this.#begun = true
    if (begins) await this.#writer.write(Buffer.concat([this.#header, lines]), records.length + 1)
    else await this.#writer.write(lines, records.length)
  }
}

/** Records as lines of NDJSON. */
function linesOf(records: readonly Pick<RecordAsOf, 'body'>[]): Buffer {
  const size = records.reduce((sum, { body }) => sum + body.length + 1, 0)
  const lines = Buffer.allocUnsafe(size)
  let at = 0
  for (const { body } of records) {
    at += body.copy(lines, at)
    lines[at++] = 0x0a
  }
  return lines
}
