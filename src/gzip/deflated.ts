import { constants, crc32, deflateRawSync, inflateRawSync, type ZlibOptions } from 'node:zlib'
import { combineCrc32 } from './crc32.ts'

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

/** Deflate writes into buffers of this size; what is not filled is held all the same. */
const chunkBytesMax = 64 * 1024
const chunkBytesMin = 1024

/** Most lines become less than a quarter. */
const optionsFor = (lines: Buffer, level: number): ZlibOptions => ({
  level,
  finishFlush: constants.Z_SYNC_FLUSH,
  chunkSize: Math.min(chunkBytesMax, Math.max(chunkBytesMin, lines.length >> 2)),
})

/**
 * Deflates whole lines here and now. Handing them to a thread of Node's pool costs the one that asks as much as the work itself
 * (docs/decisions/0059).
 */
export const deflateLines = (lines: Buffer, records: number, level: number): Deflated => ({
  records,
  bytes: lines.length,
  crc: crc32(lines),
  blocks: deflateRawSync(lines, optionsFor(lines, level)),
})

/** Pieces of lines as one. */
export function joined(pieces: readonly Deflated[]): Deflated {
  const [only, ...others] = pieces
  if (only !== undefined && others.length === 0) return only
  return {
    records: sum(pieces, ({ records }) => records),
    bytes: sum(pieces, ({ bytes }) => bytes),
    crc: pieces.reduce((crc, piece) => combineCrc32(crc, piece.crc, piece.bytes), 0),
    blocks: Buffer.concat(pieces.map(({ blocks }) => blocks)),
  }
}

const sum = <Item>(items: readonly Item[], numberOf: (item: Item) => number): number =>
  items.reduce((total, item) => total + numberOf(item), 0)

/**
 * The lines again.
 * @throws when the blocks do not inflate to what the numbers say
 */
export function inflateLines(deflated: Deflated): Buffer {
  const lines = inflateSealedLines(deflated)
  if (crc32(lines) !== deflated.crc) throw differs()
  return lines
}

/** The same of blocks of which it is known that they are those that were made, for their own checksum was right. */
export const inflateSealedLines = (deflated: Deflated): Buffer =>
  whole(inflateRawSync(deflated.blocks, inflateOptions(deflated)), deflated)

const inflateOptions = ({ bytes }: Deflated): ZlibOptions => ({
  finishFlush: constants.Z_SYNC_FLUSH,
  maxOutputLength: bytes + 1,
  // One buffer for all of them: putting many together takes as long as inflating.
  chunkSize: Math.max(chunkBytesMin, bytes + 1),
})

function whole(lines: Buffer, { bytes }: Deflated): Buffer {
  if (lines.length !== bytes) throw differs()
  return lines
}

const differs = () => new Error('deflated lines are not what they say they are')
