import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { combineCrc32 } from '../gzip/crc32.ts'
import { memberEnd, memberEndBytes, memberHeader } from '../gzip/member.ts'
import { type ByteRange, sliced } from './byte-range.ts'
import { exactLength } from './exact-length.ts'
import { type FileStore, isDamage, type Published } from './file-store.ts'

/** A stored part: one gzip member. Bytes before and after gzip. */
export interface ContentPart {
  readonly path: string
  readonly bytes: number
  readonly gzipBytes: number
  /** CRC-32 of the lines, and of the bytes as they are stored; null for parts from before there were any, which stand alone. */
  readonly crc: number | null
  readonly gzipCrc: number | null
}

/** Lets a piece of work begin when its turn comes. */
export type InTurn = <Result>(work: () => Promise<Result>) => Promise<Result>

export type Coding = 'gzip' | 'identity'

/** How many bytes of its stored form are read at once. */
const chunkBytes = 256 * 1024

/** A stored part is not what was published. Its message says what was seen. */
export class DamagedPart extends Error {
  readonly part: ContentPart

  constructor(part: ContentPart, cause: Error) {
    super(cause.message, { cause })
    this.part = part
  }
}

/** What follows something else in a content. */
interface Section {
  readonly size: number
  /** Where it is not read from a part. */
  readonly content?: Buffer
  /** @param range of its own bytes; undefined: all of them, and then their checksum is looked at */
  readonly read: (range: ByteRange | undefined) => AsyncIterable<Buffer>
}

/** The content of a file, of one part or of several, in a coding: several are put together into one gzip member, or their lines are. */
export class JoinedContent {
  readonly #sections: readonly Section[]

  constructor(store: Pick<FileStore, 'read'>, parts: readonly ContentPart[], coding: Coding, inTurn: InTurn) {
    if (coding === 'identity') this.#sections = parts.map((part) => linesSection(store, part, inTurn))
    else if (parts.length === 1) this.#sections = [partSection(store, parts[0]!)]
    else this.#sections = joinedSections(store, parts)
  }

  get size(): number {
    return this.#sections.reduce((sum, { size }) => sum + size, 0)
  }

  /**
   * Its bytes. They fail with `DamagedPart` where a part is not what it was; of a part that is sent whole that shows before its last bytes
   * are given, of one that is sent in part before its first.
   */
  read(range: ByteRange | undefined): Readable {
    const bytes = bytesOf(this.#sections, range ?? { start: 0, end: this.size - 1 })
    return Readable.from(bytes, { objectMode: false, highWaterMark: chunkBytes })
  }
}

async function* bytesOf(sections: readonly Section[], { start, end }: ByteRange): AsyncGenerator<Buffer> {
  let at = 0
  // What is fixed waits for what is read: damage of the first part shows before a byte is given.
  let fixed: Buffer[] = []
  for (const { size, content, read } of sections) {
    const range = { start: Math.max(0, start - at), end: Math.min(size, end + 1 - at) - 1 }
    at += size
    if (range.start > range.end) continue
    if (content) {
      fixed.push(content.subarray(range.start, range.end + 1))
      continue
    }
    for await (const chunk of read(range.start === 0 && range.end === size - 1 ? undefined : range)) {
      yield* fixed
      fixed = []
      yield chunk
    }
  }
  yield* fixed
}

/** One member of many: a head, the blocks of each, and an end that is true of all of them. */
function joinedSections(store: Pick<FileStore, 'read'>, parts: readonly ContentPart[]): Section[] {
  const crc = parts.reduce((sum, part) => combineCrc32(sum, part.crc ?? 0, part.bytes), 0)
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0)
  return [fixed(memberHeader), ...parts.map((part) => blocksSection(store, part)), fixed(memberEnd(crc, bytes))]
}

const fixed = (content: Buffer): Section => ({ size: content.length, content, read: nothing })

async function* nothing(): AsyncGenerator<Buffer> {}

/** A part as it is stored. */
const partSection = (store: Pick<FileStore, 'read'>, part: ContentPart): Section => ({
  size: part.gzipBytes,
  read: (range) => stored(store, part, range),
})

/** A part without its head and its end. All of it is read where all of its blocks are: only then its checksum tells something. */
const blocksSection = (store: Pick<FileStore, 'read'>, part: ContentPart): Section => ({
  size: part.gzipBytes - memberHeader.length - memberEndBytes,
  read: (range) => {
    const head = memberHeader.length
    if (range) return stored(store, part, { start: head + range.start, end: head + range.end })
    const blocks = { start: head, end: part.gzipBytes - memberEndBytes - 1 }
    return sliced(stored(store, part, undefined), blocks, { toEnd: true })
  },
})

/** The lines of a part. */
const linesSection = (store: Pick<FileStore, 'read'>, part: ContentPart, inTurn: InTurn): Section => ({
  size: part.bytes,
  read: (range) => inflated(store, part, range, inTurn),
})

const published = ({ gzipBytes, gzipCrc }: ContentPart): Published => ({ size: gzipBytes, crc: gzipCrc })

async function* stored(
  store: Pick<FileStore, 'read'>,
  part: ContentPart,
  range: ByteRange | undefined,
): AsyncGenerator<Buffer> {
  const check = exactLength(lengthOf(range, part.gzipBytes), range ? undefined : (part.gzipCrc ?? undefined))
  yield* told(part, async function* () {
    yield* pipeline(await store.read(part.path, published(part), range), check, () => {})
  })
}

/** Nothing is inflated before it is asked for. */
const uponDemand = { chunkSize: chunkBytes, readableHighWaterMark: 0 }

/** A part that was looked at before is inflated as far as it is wanted; of another one only its end shows whether the bytes were right. */
async function* inflated(
  store: Pick<FileStore, 'read'>,
  part: ContentPart,
  range: ByteRange | undefined,
  inTurn: InTurn,
): AsyncGenerator<Buffer> {
  const check = exactLength(lengthOf(range, part.bytes), undefined)
  const all = { start: 0, end: part.gzipBytes - 1 }
  yield* told(part, async function* () {
    const stored = await store.read(part.path, published(part), range && all)
    const lines = pipeline(stored, createGunzip(uponDemand), () => {})
    const pieces = taken(lines, inTurn)
    yield* pipeline(range ? sliced(pieces, range, { toEnd: part.gzipCrc === null }) : pieces, check, () => {})
  })
}

/** Takes the pieces of a stream one by one, each when its turn comes. */
async function* taken(stream: Readable, inTurn: InTurn): AsyncGenerator<Buffer> {
  const pieces: AsyncIterator<Buffer> = stream[Symbol.asyncIterator]()
  try {
    for (;;) {
      const { value, done } = await inTurn(() => pieces.next())
      if (done) return
      yield value
    }
  } finally {
    await pieces.return?.()
  }
}

const lengthOf = (range: ByteRange | undefined, all: number): number => (range ? range.end - range.start + 1 : all)

/** Says of which part damage is. */
async function* told(part: ContentPart, bytes: () => AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* bytes()
  } catch (error) {
    throw error instanceof Error && isDamage(error) ? new DamagedPart(part, error) : error
  }
}
