import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Failure } from '../../../failure.ts'

/** One item of a spool: what is known of it, and a text that is too long to keep. */
export interface Spooled<Head> {
  /** Where it begins. */
  readonly at: number
  readonly head: Head
  readonly text: Buffer
}

/** What is gathered before it is written. */
const pageBytes = 1024 * 1024

const lengthsBytes = 8

/**
 * A temporary file of items that are written one after the other and read in the same order. It has no name: it is gone when it is
 * closed, and when the process ends, whatever ends it. On systems that do not remove an open file it lies in a private folder until it
 * is closed.
 */
export class Spool<Head> {
  readonly #file: FileHandle
  readonly #folder: string
  #pages: Buffer[] = []
  #pagesBytes = 0
  #written = 0
  /** Why it is of no use any more: something that was taken has not been written. */
  #failure: Failure | undefined

  private constructor(file: FileHandle, folder: string) {
    this.#file = file
    this.#folder = folder
  }

  /** @throws Failure when there is no room for it, as `append` and `read` do */
  static async open<Head>(): Promise<Spool<Head>> {
    return Spool.#open<Head>().catch((cause: unknown) => {
      throw noRoom(cause)
    })
  }

  static async #open<Head>(): Promise<Spool<Head>> {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-load-'))
    const file = await open(join(folder, 'held'), 'wx+', 0o600)
    await rm(folder, { recursive: true }).catch(() => {})
    return new Spool<Head>(file, folder)
  }

  /** The place behind the last item. */
  get end(): number {
    return this.#written + this.#pagesBytes
  }

  async append(head: Head, text: Buffer): Promise<void> {
    const headBytes = Buffer.from(JSON.stringify(head))
    const lengths = Buffer.alloc(lengthsBytes)
    lengths.writeUInt32LE(headBytes.length, 0)
    lengths.writeUInt32LE(text.length, 4)
    if (this.#failure) throw this.#failure
    this.#pages.push(lengths, headBytes, text)
    this.#pagesBytes += lengthsBytes + headBytes.length + text.length
    if (this.#pagesBytes >= pageBytes) await this.#flush()
  }

  /** The items from one place to another, those that were appended meanwhile not. */
  async *read(from: number, to = this.end): AsyncGenerator<Spooled<Head>> {
    await this.#flush()
    let page: Buffer = Buffer.alloc(0)
    let pageStart = from
    const take = async (at: number, length: number): Promise<Buffer> => {
      if (at + length > pageStart + page.length) {
        page = await this.#readAt(at, Math.min(Math.max(length, pageBytes), this.#written - at))
        pageStart = at
      }
      return page.subarray(at - pageStart, at - pageStart + length)
    }
    for (let at = from; at < to; ) {
      const lengths = await take(at, lengthsBytes)
      const [headLength, textLength] = [lengths.readUInt32LE(0), lengths.readUInt32LE(4)]
      const body = await take(at + lengthsBytes, headLength + textLength)
      const head = JSON.parse(body.toString('utf8', 0, headLength)) as Head
      yield { at, head, text: body.subarray(headLength) }
      at += lengthsBytes + headLength + textLength
    }
  }

  async close(): Promise<void> {
    await this.#file.close()
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #flush(): Promise<void> {
    if (this.#failure) throw this.#failure
    if (this.#pages.length === 0) return
    const bytes = Buffer.concat(this.#pages)
    this.#pages = []
    this.#pagesBytes = 0
    const start = this.#written
    this.#written += bytes.length
    try {
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await this.#file.write(bytes, at, bytes.length - at, start + at)
        at += bytesWritten
      }
    } catch (cause) {
      this.#failure = noRoom(cause)
      throw this.#failure
    }
  }

  async #readAt(position: number, length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(length)
    for (let at = 0; at < length; ) {
      const { bytesRead } = await this.#file.read(bytes, at, length - at, position + at)
      if (bytesRead === 0) throw new Error('the temporary file of the load is shorter than what was written to it')
      at += bytesRead
    }
    return bytes
  }
}

function noRoom(cause: unknown): Failure {
  const { code } = cause as NodeJS.ErrnoException
  return new Failure(
    `The temporary file of the load cannot be written${code === undefined ? '' : ` (${code})`}.`,
    `Make room in ${tmpdir()}, or name another folder with TMPDIR, and load again.`,
    { cause },
  )
}
