import { createReadStream } from 'node:fs'
import { inflated } from './gzip-members.ts'
import { type SourceFile, standardInput } from './source-files.ts'
import { standardInputBytes } from './standard-input.ts'

/** A file that is open: its first bytes, and all of them from the first on. Gzip is undone, whatever the name says. */
export interface OpenSource {
  readonly head: Buffer
  /** Whether `head` is all there is. */
  readonly isWhole: boolean
  readonly gzip: boolean
  readonly chunks: AsyncIterable<Buffer>
}

/** A file cannot be read, or not to its end. What goes wrong elsewhere while it is loaded is none of its faults. */
export class UnreadableSource extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause })
    this.name = 'UnreadableSource'
  }
}

/** As much as is looked at to tell what a file is. */
const headBytes = 64 * 1024

const chunkBytes = 256 * 1024

/**
 * Opens a file's bytes. `onBytes` is told the bytes read from disk, for progress.
 * @throws UnreadableSource, as `chunks` does
 */
export async function openSource({ path }: SourceFile, onBytes: (bytes: number) => void): Promise<OpenSource> {
  const stream =
    path === standardInput ? standardInputBytes(chunkBytes) : createReadStream(path, { highWaterMark: chunkBytes })
  const raw = await begun(told(readable(stream), onBytes), 2)
  const gzip = raw.head[0] === 0x1f && raw.head[1] === 0x8b
  const plain = await begun(gzip ? readable(inflated(raw.chunks, chunkBytes)) : raw.chunks, headBytes)
  return { ...plain, gzip }
}

/** The same bytes; what goes wrong as they are read is the source's. */
async function* readable(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* chunks
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error
    throw new UnreadableSource(error)
  }
}

async function* told(stream: AsyncIterable<Buffer>, onBytes: (bytes: number) => void): AsyncGenerator<Buffer> {
  for await (const chunk of stream) {
    onBytes(chunk.length)
    yield chunk
  }
}

/** Reads until there are `bytes` bytes, or the end. */
async function begun(source: AsyncIterable<Buffer>, bytes: number): Promise<Omit<OpenSource, 'gzip'>> {
  const iterator = source[Symbol.asyncIterator]()
  const pieces: Buffer[] = []
  let size = 0
  let isWhole = false
  while (size < bytes && !isWhole) {
    const { value, done } = await iterator.next()
    if (done) isWhole = true
    else {
      pieces.push(value)
      size += value.length
    }
  }
  const head = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
  return { head, isWhole, chunks: behind(head, iterator) }
}

async function* behind(head: Buffer, iterator: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    if (head.length > 0) yield head
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value
  } finally {
    await iterator.return?.()
  }
}
