import type { SharedBuffers } from '../shared-buffers.ts'

/** One line of a block: its bytes without the line feed, undefined when it was longer than allowed; `end` is behind the line feed. */
export interface Line {
  readonly bytes: Buffer | undefined
  readonly end: number
}

/** Whole lines of a file, in shared memory, which is to be given back. */
export interface LineBlock {
  readonly bytes: Buffer
  /** It is one line that was longer than allowed, of which nothing is here. */
  readonly tooLong: boolean
}

const lineFeed = 10
const carriageReturn = 13

/**
 * Cuts a stream of bytes into blocks of whole lines of about `blockBytes`. A line of more than that has a larger one, and a line that
 * is longer than allowed is passed over: memory is bounded by one chunk and one line of at most `bytesMax`.
 */
export async function* lineBlocksOf(
  chunks: AsyncIterable<Buffer>,
  buffers: SharedBuffers,
  blockBytes: number,
  bytesMax: number,
): AsyncGenerator<LineBlock> {
  const cutter = new BlockCutter(buffers, blockBytes, bytesMax)
  for await (const chunk of chunks) yield* cutter.add(chunk)
  yield* cutter.finish()
}

const tooLongLine: LineBlock = { bytes: Buffer.alloc(0), tooLong: true }

class BlockCutter {
  readonly #buffers: SharedBuffers
  readonly #blockBytes: number
  readonly #bytesMax: number
  #block: Buffer
  #used = 0
  /** The line that comes is too long. */
  #passing = false

  constructor(buffers: SharedBuffers, blockBytes: number, bytesMax: number) {
    this.#buffers = buffers
    this.#blockBytes = blockBytes
    this.#bytesMax = bytesMax
    this.#block = this.#room(blockBytes)
  }

  /** The blocks that are complete with a chunk. */
  *add(chunk: Buffer): Generator<LineBlock> {
    let rest = chunk
    while (rest.length > 0) {
      if (this.#passing) rest = yield* this.#pass(rest)
      const taken = rest.copy(this.#block, this.#used)
      this.#used += taken
      rest = rest.subarray(taken)
      if (this.#used === this.#block.length) yield* this.#full()
    }
  }

  *#full(): Generator<LineBlock> {
    const end = this.#block.lastIndexOf(lineFeed) + 1
    if (end > 0) {
      const [block, begun] = [this.#block, this.#block.subarray(end)]
      this.#block = this.#room(Math.max(this.#blockBytes, begun.length + 1))
      this.#used = begun.copy(this.#block)
      yield { bytes: block.subarray(0, end), tooLong: false }
    } else if (this.#used > this.#bytesMax + 1) {
      this.#used = 0
      this.#passing = true
    } else {
      const begun = this.#block
      this.#block = this.#room(Math.min(2 * begun.length, this.#bytesMax + 2))
      begun.copy(this.#block)
      this.#buffers.give(begun)
    }
  }

  /** Passes over a line to its end, and gives what is behind it. */
  *#pass(chunk: Buffer): Generator<LineBlock, Buffer> {
    const feed = chunk.indexOf(lineFeed)
    if (feed < 0) return Buffer.alloc(0)
    this.#passing = false
    yield tooLongLine
    return chunk.subarray(feed + 1)
  }

  *finish(): Generator<LineBlock> {
    if (this.#passing) yield tooLongLine
    else if (this.#used > 0) yield { bytes: this.#block.subarray(0, this.#used), tooLong: false }
    else this.#buffers.give(this.#block)
  }

  #room(bytes: number): Buffer {
    return this.#buffers.take(bytes).subarray(0, bytes)
  }
}

/** The lines of a block in order, empty ones too. A carriage return before a line feed goes too. */
export function* linesIn({ bytes, tooLong }: LineBlock, bytesMax: number): Generator<Line> {
  if (tooLong) yield { bytes: undefined, end: 0 }
  for (let start = 0; start < bytes.length; ) {
    const feed = bytes.indexOf(lineFeed, start)
    const end = feed < 0 ? bytes.length : feed
    const line = bytes.subarray(start, end > start && bytes[end - 1] === carriageReturn ? end - 1 : end)
    start = end + 1
    yield { bytes: line.length > bytesMax ? undefined : line, end: start }
  }
}

/** Without the byte order mark that it may begin with. Every line is asked, so the answer has to be quick. */
export const withoutMark = (bytes: Buffer): Buffer =>
  bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes

export function isBlank(bytes: Buffer): boolean {
  for (const code of bytes) if (code !== 0x20 && code !== 0x09 && code !== carriageReturn) return false
  return true
}
