import { Readable } from 'node:stream'
import { GetObjectCommand, type GetObjectCommandOutput } from '@aws-sdk/client-s3'
import type { ByteRange } from '../byte-range.ts'
import { DamagedFile, UnusableStore } from '../file-store.ts'
import type { Bucket } from './bucket.ts'
import { isAway } from './patience.ts'
import { faultOf } from './s3-fault.ts'

/** How often what is sent may break off with nothing that has come. */
const emptyAnswersMax = 5

/** Bytes of an object that are on their way. */
interface Answer {
  readonly bytes: Readable
  readonly etag: string
  /** Of the whole object. */
  readonly size: number
}

/**
 * The bytes of an object, asked for again from where they broke off.
 * @param etag the object must have it
 * @throws DamagedFile when it is gone or has another size
 */
export async function objectBytes(
  bucket: Bucket,
  path: string,
  size: number,
  range?: ByteRange,
  etag?: string,
): Promise<Readable> {
  const wanted = range ?? { start: 0, end: size - 1 }
  const first = await ask(bucket, path, wanted, etag)
  if (first.size !== size) {
    first.bytes.destroy()
    throw new DamagedFile(`it has ${first.size} bytes and not ${size}`)
  }
  return Readable.from(untilAll(bucket, path, wanted, first), { objectMode: false })
}

async function* untilAll(
  bucket: Bucket,
  path: string,
  { start, end }: ByteRange,
  first: Answer,
): AsyncGenerator<Buffer> {
  let { bytes } = first
  let at = start
  for (let empty = 0; ; ) {
    const before = at
    try {
      for await (const chunk of bytes) {
        at += chunk.length
        yield chunk
      }
    } catch (error) {
      // Also that of a reader who has taken nothing for long.
      const fault = faultOf(error)
      if (!isAway(fault)) throw fault
    }
    if (at > end) return
    empty = at === before ? empty + 1 : 0
    if (empty === emptyAnswersMax) throw new UnusableStore('away', 'what it sends breaks off again and again')
    bytes = (await ask(bucket, path, { start: at, end }, first.etag)).bytes
  }
}

/** @param etag the object must still have it */
function ask(bucket: Bucket, path: string, { start, end }: ByteRange, etag?: string): Promise<Answer> {
  const question = new GetObjectCommand({
    ...bucket.at(path),
    Range: `bytes=${start}-${end}`,
    ...(etag === undefined ? {} : { IfMatch: etag }),
  })
  return bucket.askSoon(async (sent) => answerOf(await bucket.client.send(question, sent)))
}

function answerOf({ Body, ContentRange, ContentLength, ETag = '' }: GetObjectCommandOutput): Answer {
  const [, size = ContentLength ?? 0] = /\/(\d+)$/.exec(ContentRange ?? '') ?? []
  return { bytes: Body as Readable, etag: ETag, size: Number(size) }
}

/** What tells an object from one that has taken its place. @throws DamagedFile when it is gone */
export async function seen(bucket: Bucket, path: string): Promise<Pick<Answer, 'size' | 'etag'>> {
  // What answers to HEAD does not say whether the object is gone or the bucket.
  const { bytes, size, etag } = await ask(bucket, path, { start: 0, end: 0 })
  bytes.destroy()
  return { size, etag }
}
