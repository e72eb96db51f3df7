import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { networkOf } from '../../access/network-of.ts'
import { type Meter, noMeter } from '../../telemetry/meter.ts'
import type { ConnectionBounds } from '../connection/connection-bounds.ts'
import { countDownloads, type DownloadEnd, keepPace } from '../files/pace.ts'
import { onlyLooks } from '../only-looks.ts'
import { onceAnswerEnds } from './answer-end.ts'
import type { BytesInFlight, HeldBytes } from './bytes-in-flight.ts'
import { readBody, toldLength } from './request-body.ts'
import { giveRoom } from './room.ts'

/** A request from its headers on until its answer has left. */
interface Flight {
  readonly held: HeldBytes
  /** Nobody works on it any more. */
  answered: boolean
  /** Its answer has left, or nobody waits for it. */
  ended: boolean
}

const flights = new WeakMap<FastifyRequest, Flight>()

/** The bytes of a request. */
export const heldBytesOf = (request: FastifyRequest): HeldBytes => flights.get(request)!.held

/** What of a large answer is given to the connection at a time. */
const pieceBytes = 64 * 1024

/**
 * Counts the bytes of all requests in memory: of their bodies, before they come, and of their answers, until they have left. A caller that
 * nobody knows pays by its address. Every answer must be taken in time, so that nobody keeps it here.
 */
export function countBytes(
  app: FastifyInstance,
  all: BytesInFlight,
  bounds: Pick<ConnectionBounds, 'answerMsMax' | 'paceMs' | 'paceBytesMin'>,
  meter: Meter = noMeter,
): void {
  const downloaded = countDownloads(meter)
  app.addHook('onRequest', (request, reply, done) => {
    const held = all.open({ kind: 'address', network: networkOf(request.ip) })
    const flight: Flight = { held, answered: false, ended: false }
    flights.set(request, flight)
    giveRoom(request, held)
    // Until somebody reads the body. Of one that is told, no more than a piece waits here; of others each byte may be a piece.
    const waits = request.headers['transfer-encoding'] !== undefined
    if (waits) request.raw.socket.pause()
    onceAnswerEnds(request.raw, reply.raw, () => {
      flight.ended = true
      // Of a body that nobody has read, nobody else would.
      if (waits) request.raw.socket.resume()
      // Who goes away does not end the work on its request, and that has the body still.
      if (flight.answered || reply.sent) held.become(0)
    })
    done()
  })
  app.addHook('preParsing', (request, _reply, payload, done) => {
    const length = toldLength(request) ?? 0
    const isRead = request.method !== 'GET' && request.method !== 'HEAD' && length <= request.routeOptions.bodyLimit
    if (isRead) heldBytesOf(request).take(length)
    done(null, payload)
  })
  app.addHook('onSend', async (request, reply, payload) => {
    const flight = flights.get(request)
    if (!flight) return payload
    const sent =
      payload instanceof Readable ? paced(reply, payload, bounds, downloaded) : countAnswer(flight.held, reply, payload)
    // It would stay here until the answer has left.
    request.body = undefined
    flight.answered = true
    if (flight.ended) flight.held.become(0)
    else if (!(payload instanceof Readable)) expectTaking(reply, bounds.answerMsMax)
    return sent
  })
  // Bodies are read as bytes: JSON is parsed where its errors become an OperationOutcome, and stored to the letter.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', async (request: FastifyRequest) =>
    withoutMark(await readBody(request.raw, heldBytesOf(request), request.routeOptions.bodyLimit)),
  )
}

const byteOrderMark = Buffer.from('\ufeff')

/** A body without the byte order mark that some programs begin UTF-8 with: whoever reads JSON may ignore it (RFC 8259 §8.1). */
const withoutMark = (body: Buffer): Buffer =>
  body.subarray(0, byteOrderMark.length).equals(byteOrderMark) ? body.subarray(byteOrderMark.length) : body

/** A file is read as it is taken. It is not held, but whoever takes it must keep pace. */
function paced(
  reply: FastifyReply,
  file: Readable,
  bounds: Pick<ConnectionBounds, 'paceMs' | 'paceBytesMin'>,
  ended: DownloadEnd,
): unknown {
  if (keepPace(reply, bounds, ended)) return file
  file.destroy()
  return undefined
}

/**
 * Counts an answer in the place of what the request had before. Of what only looks, it may be one too many; what was done is told, and
 * so are refusals.
 * @throws TooManyBytes
 */
function countAnswer(held: HeldBytes, reply: FastifyReply, payload: unknown): unknown {
  const { request } = reply
  if (typeof payload !== 'string' && !(payload instanceof Buffer)) {
    held.become(0)
    return payload
  }
  const bytes = Buffer.byteLength(payload)
  const isRefusable = onlyLooks(request) && request.routeOptions.config.countedBy !== 'nobody'
  if (isRefusable && reply.statusCode < 400 && bytes > held.bytes) held.take(bytes - held.bytes)
  held.become(bytes)
  if (bytes <= pieceBytes || reply.statusCode >= 400 || request.method === 'HEAD') return payload
  reply.header('Content-Length', bytes)
  return Readable.from(pieces(Buffer.isBuffer(payload) ? payload : Buffer.from(payload)), { objectMode: false })
}

/** Given as a whole, it would be copied as a whole: by TLS, and as text. */
function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

function expectTaking(reply: FastifyReply, answerMsMax: number): void {
  const { socket } = reply.request.raw
  const before = socket.bytesWritten
  const timer = setTimeout(() => {
    reply.log.info({ bytes: socket.bytesWritten - before }, 'slow reader')
    socket.destroy()
  }, answerMsMax)
  timer.unref()
  onceAnswerEnds(reply.request.raw, reply.raw, () => clearTimeout(timer))
}
