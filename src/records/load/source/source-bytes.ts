import { createReadStream } from 'node:fs'
import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { type SourceFile, standardInput } from './source-files.ts'

/** A file that is open: its first bytes, and all of them from the first on. Gzip is undone, whatever the name says. */
export interface OpenSource {
  readonly head: Buffer
  /** Whether `head` is all there is. */
  readonly isWhole: boolean
  readonly gzip: boolean
  readonly chunks: AsyncIterable<Buffer>
}

/** As much as is looked at to tell what a file is. */
const headBytes = 64 * 1024

const chunkBytes = 256 * 1024

/** Opens a file's bytes. `onBytes` is told the bytes read from disk, for progress. */
export async function openSource({ path }: SourceFile, onBytes: (bytes: number) => void): Promise<OpenSource> {
  const options = { highWaterMark: chunkBytes }
  const stream =
    path === standardInput
      ? createReadStream('', { ...options, fd: 0, autoClose: false })
      : createReadStream(path, options)
  const raw = await begun(told(stream, onBytes), 2)
  const gzip = raw.head[0] === 0x1f && raw.head[1] === 0x8b
  const plain = await begun(gzip ? inflated(raw.chunks) : raw.chunks, headBytes)
  return { ...plain, gzip }
}

async function* told(stream: AsyncIterable<Buffer>, onBytes: (bytes: number) => void): AsyncGenerator<Buffer> {
  for await (const chunk of stream) {
    onBytes(chunk.length)
    yield chunk
  }
}

function inflated(chunks: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const gunzip = createGunzip({ chunkSize: chunkBytes })
  // What goes wrong comes out of `gunzip`, where it is read.
  return pipeline(Readable.from(chunks, { objectMode: false }), gunzip, () => {})
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
