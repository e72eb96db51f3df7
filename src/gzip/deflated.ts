import { promisify } from 'node:util'
import { constants, crc32, deflateRaw, deflateRawSync, inflateRawSync, type ZlibOptions } from 'node:zlib'
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

const deflate = promisify(deflateRaw) as (lines: Buffer, options: ZlibOptions) => Promise<Buffer>

/** Deflate writes into buffers of this size; what is not filled is held all the same. */
const chunkBytesMax = 64 * 1024
const chunkBytesMin = 1024

/** Most lines become less than a quarter. */
const optionsFor = (lines: Buffer, level: number): ZlibOptions => ({
  level,
  finishFlush: constants.Z_SYNC_FLUSH,
  chunkSize: Math.min(chunkBytesMax, Math.max(chunkBytesMin, lines.length >> 2)),
})

const described = (lines: Buffer, records: number, blocks: Buffer): Deflated => ({
  records,
  bytes: lines.length,
  crc: crc32(lines),
  blocks,
})

/** Deflates whole lines in a thread of Node's pool: for many at once. They must not be changed until it has ended. */
export const deflateLines = async (lines: Buffer, records: number, level: number): Promise<Deflated> =>
  described(lines, records, await deflate(lines, optionsFor(lines, level)))

/** Deflates whole lines here and now: for few, where going to another thread costs more than the work. */
export const deflateLinesSync = (lines: Buffer, records: number, level: number): Deflated =>
  described(lines, records, deflateRawSync(lines, optionsFor(lines, level)))

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
