import { pipeline } from 'node:stream/promises'
import { answerBytesMax } from '../limits.ts'
import type { OfferedFile } from '../manifest.ts'
import type { Run } from '../run.ts'
import { explainAnswer } from '../session/outcome.ts'
import type { Answer } from '../session/session.ts'
import { readText } from '../session/transport.ts'
import { retryAfterMs } from '../session/waiting.ts'
import { notAllowed } from '../status.ts'
import {
  beginPart,
  type Coding,
  continuePart,
  dropPart,
  findPart,
  type Part,
  type Representation,
} from './partial-download.ts'

/** This attempt failed; another may not. */
export class AttemptFailed extends Error {
  readonly waitMs: number | undefined

  constructor(message: string, waitMs?: number) {
    super(message)
    this.waitMs = waitMs
  }
}

/** The server will not give this file, however often it is asked. */
export class FileRefused extends Error {}

/**
 * One attempt to get the rest of a file, or all of it, into its part. The file's own URL is asked each time, since the
 * link it redirects to lives shortly. A server that ignores `Range`, or whose file has another ETag by now, sends all of it
 * again and the part begins anew.
 * @returns how the part is coded, once it is whole
 * @throws AttemptFailed, FileRefused, or the error of the network or the disk
 */
export async function receive(run: Run, file: OfferedFile, withToken: boolean, path: string): Promise<Coding> {
  const part = await findPart(path)
  if (part.of && part.have > 0 && part.have === part.of.bytes) return part.of.coding
  const answer = await run.session.call({
    method: 'GET',
    url: file.url,
    headers: { accept: 'application/fhir+ndjson', 'accept-encoding': 'gzip', ...rangeOf(part) },
    token: withToken ? 'first-hop' : 'never',
  })
  const of = await representationOf(run, answer, part)
  const target = answer.status === 206 ? continuePart(path) : await beginPart(path, of)
  let broken: { readonly error: unknown } | undefined
  /** Ends where the connection breaks, so that what has come is written before the error is thrown. */
  async function* whatComes(): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of answer.response as AsyncIterable<Buffer>) {
        run.report({ kind: 'received', bytes: chunk.length })
        yield chunk
      }
    } catch (error) {
      broken = { error }
    }
  }
  await pipeline(whatComes, target)
  if (broken) throw broken.error
  const { have } = await findPart(path)
  if (!answer.response.complete || (of.bytes !== undefined && have < of.bytes)) {
    throw new AttemptFailed('the connection ended early')
  }
  if (of.bytes !== undefined && have > of.bytes) {
    await dropPart(path)
    throw new AttemptFailed('the server sent more bytes than it announced')
  }
  return of.coding
}

/** `If-Range` makes the server send the whole file when it is no longer the same; without a strong ETag there is no such guard. */
function rangeOf({ have, of }: Part): Record<string, string> {
  if (have === 0 || of?.etag === undefined) return {}
  return { 'accept-encoding': of.coding, range: `bytes=${have}-`, 'if-range': of.etag }
}

/** What the body of an answer is (200) or continues (206). */
async function representationOf(run: Run, answer: Answer, part: Part): Promise<Representation> {
  const { status, response } = answer
  if (status !== 200 && status !== 206) throw await failureOf(run, answer, part.path)
  const coding = codingOf(response.headers['content-encoding'])
  if (coding === undefined) {
    response.destroy()
    throw new FileRefused(`the server sends it as ${response.headers['content-encoding']}, which was not asked for`)
  }
  const etag = strongEtag(response.headers.etag)
  if (status === 206) {
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers['content-range'] ?? '')
    const same = range && Number(range[1]) === part.have && coding === part.of?.coding && etag === part.of.etag
    if (same) return { coding, etag, bytes: range[2] === '*' ? part.of.bytes : Number(range[2]) }
    response.destroy()
    await dropPart(part.path)
    throw new AttemptFailed('the server continued another file than the one that was begun')
  }
  const length = response.headers['content-length']
  return { coding, etag, bytes: length === undefined ? undefined : Number(length) }
}

async function failureOf(run: Run, { status, response, redirected, withheldFrom }: Answer, path: string) {
  const said = explainAnswer(response, await readText(response, answerBytesMax))
  if (status === 416) await dropPart(path)
  // A refusal after a redirect means that the link has expired: the next attempt gets a fresh one.
  if (status === 408 || status === 416 || status === 429 || status >= 500 || (redirected && status >= 400)) {
    return new AttemptFailed(said, retryAfterMs(response.headers['retry-after'], run.clock.now()))
  }
  if (status === 401 || withheldFrom !== undefined) return notAllowed(said, withheldFrom)
  return new FileRefused(said)
}

function codingOf(header: string | undefined): Coding | undefined {
  const name = header?.trim().toLowerCase() ?? ''
  if (name === '' || name === 'identity') return 'identity'
  return name === 'gzip' || name === 'x-gzip' ? 'gzip' : undefined
}

const strongEtag = (header: string | undefined): string | undefined =>
  header?.startsWith('"') && header.length < 200 ? header : undefined
