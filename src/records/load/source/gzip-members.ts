import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'

/**
 * The contents of the members of a gzip file, one behind the other. Padding of zeros may stand behind a member: zlib takes it for the end
 * of everything, and what comes behind it must not be lost.
 */
export async function* inflated(chunks: AsyncIterable<Buffer>, chunkSize: number): AsyncGenerator<Buffer> {
  const source = chunks[Symbol.asyncIterator]()
  try {
    let rest: Buffer | undefined = Buffer.alloc(0)
    for (let isFirst = true; rest !== undefined; isFirst = false) {
      if (!isFirst && !isMember(rest)) throw behindMember()
      const input = new Input(source, rest)
      yield* input.inflated(chunkSize)
      rest = await withoutPadding(await input.rest(), source)
    }
  } finally {
    await source.return?.()
  }
}

/** What a decompressor is fed, and how much of it it leaves. */
class Input {
  readonly #source: AsyncIterator<Buffer>
  /** What it may have left, from `#start` of the input on. */
  readonly #pieces: Buffer[] = []
  #start = 0
  #taken = 0
  readonly #feed: AsyncGenerator<Buffer>

  constructor(source: AsyncIterator<Buffer>, first: Buffer) {
    this.#source = source
    this.#feed = this.#fed(first)
  }

  async *#fed(first: Buffer): AsyncGenerator<Buffer> {
    for (let piece: Buffer | undefined = first; piece !== undefined; piece = await nextOf(this.#source)) {
      this.#forget()
      this.#pieces.push(piece)
      if (piece.length > 0) yield piece
    }
  }

  #forget(): void {
    while (this.#pieces[0] && this.#start + this.#pieces[0].length <= this.#taken) {
      this.#start += this.#pieces.shift()!.length
    }
  }

  async *inflated(chunkSize: number): AsyncGenerator<Buffer> {
    const gunzip = createGunzip({ chunkSize })
    // What goes wrong comes out of `gunzip`, where it is read.
    pipeline(Readable.from(this.#feed, { objectMode: false }), gunzip, () => {})
    for await (const chunk of gunzip) {
      this.#taken = gunzip.bytesWritten
      yield chunk
    }
    this.#taken = gunzip.bytesWritten
  }

  /** What the decompressor was given, or was about to be, and has not taken. */
  async rest(): Promise<Buffer> {
    await this.#feed.return(undefined)
    return Buffer.concat(this.#pieces).subarray(this.#taken - this.#start)
  }
}

/** What stands behind zeros; undefined when nothing does. */
async function withoutPadding(rest: Buffer, source: AsyncIterator<Buffer>): Promise<Buffer | undefined> {
  for (let piece: Buffer | undefined = rest; piece !== undefined; piece = await nextOf(source)) {
    const start = piece.findIndex((byte) => byte !== 0)
    if (start >= 0) return piece.subarray(start)
  }
  return undefined
}

async function nextOf(source: AsyncIterator<Buffer>): Promise<Buffer | undefined> {
  const { value, done } = await source.next()
  return done ? undefined : value
}

/** Whether it may begin a member. The second byte may not have come yet. */
const isMember = (bytes: Buffer): boolean => bytes[0] === 0x1f && (bytes.length === 1 || bytes[1] === 0x8b)

const behindMember = (): Error =>
  Object.assign(new Error('something that is no gzip stands behind its end'), { code: 'Z_DATA_ERROR' })
