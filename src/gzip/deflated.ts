import { promisify } from 'node:util'
import { constants, crc32, deflateRaw, inflateRawSync } from 'node:zlib'

/**
 * Lines as deflate blocks (RFC 1951) that end on a byte boundary and refer to nothing before them, none of them the last block.
 * So such pieces can stand one after the other in one stream, and anything can follow.
 */
export interface Deflated {
  readonly records: number
  /** What the lines weigh inflated. */
  readonly bytes: number
  /** CRC-32 of the lines. */
  readonly crc: number
  readonly blocks: Buffer
}

const deflate = promisify(deflateRaw) as (
  lines: Buffer,
  options: { level: number; finishFlush: number; chunkSize: number },
) => Promise<Buffer>

/** Deflate writes into buffers of this size; most pieces fit in one. */
const chunkBytesMax = 256 * 1024

/** Deflates whole lines, in a thread of Node's pool. Lines that are still used elsewhere must not be changed until it has ended. */
export async function deflateLines(lines: Buffer, records: number, level: number): Promise<Deflated> {
  const chunkSize = Math.min(chunkBytesMax, Math.max(1024, lines.length))
  const blocks = await deflate(lines, { level, finishFlush: constants.Z_SYNC_FLUSH, chunkSize })
  return { records, bytes: lines.length, crc: crc32(lines), blocks }
}

/**
 * The lines again.
 * @throws when the blocks do not inflate to what the numbers say
 */
export function inflateLines({ bytes, crc, blocks }: Deflated): Buffer {
  const lines = inflateRawSync(blocks, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: bytes + 1 })
  if (lines.length !== bytes || crc32(lines) !== crc) throw new Error('deflated lines are not what they say they are')
  return lines
}
