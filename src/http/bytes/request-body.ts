import type { IncomingMessage } from 'node:http'
import type { HeldBytes } from './bytes-in-flight.ts'
import { freePiece } from './own-bytes.ts'

/** Room for the first bytes of a body whose length is not told; it is doubled as they come. */
const firstRoomBytes = 16 * 1024

/** A body may come in so many pieces however small they are. */
const freePiecesMax = 4096
/** Then they must be as large as this on average: each takes some of everybody's time. */
const pieceBytesMin = 64

/** A body comes in pieces that are too small. */
export class BodyTooFine extends Error {
  readonly statusCode = 400
}

/** A body is longer than its route allows. */
export class BodyTooLong extends Error {
  readonly statusCode = 413
}

/** The length that a request tells of its body; undefined when it tells none. */
export function toldLength({ headers }: { readonly headers: IncomingMessage['headers'] }): number | undefined {
  const length = headers['content-length']
  return length === undefined ? undefined : Number(length)
}

/**
 * Reads a body into one buffer. Its pieces are copied as they come, for each of them would keep a piece of the network's, sixty kilobytes
 * for a byte, and freed: as garbage they would have this thread collect for each large body.
 * @param held has taken the length that is told already; for others it takes room as the bytes come
 * @throws BodyTooLong, BodyTooFine, TooManyBytes: the rest is not read
 */
export function readBody(message: IncomingMessage, held: HeldBytes, bytesMax: number): Promise<Buffer> {
  const told = toldLength(message)
  if (told !== undefined && told > bytesMax) return Promise.reject(new BodyTooLong())
  // Who has gone meanwhile sends neither an end nor another sign that it has.
  if (message.destroyed) return Promise.reject(new Error('the body was broken off'))
  let room = Buffer.allocUnsafeSlow(told ?? 0)
  let [length, pieces] = [0, 0]

  function take(piece: Buffer): void {
    const needed = length + piece.length
    pieces += 1
    if (pieces > freePiecesMax && needed < pieces * pieceBytesMin) throw new BodyTooFine()
    if (needed > bytesMax) throw new BodyTooLong()
    if (needed > room.length) {
      const larger = Math.min(bytesMax, Math.max(firstRoomBytes, room.length * 2, needed))
      held.take(larger - room.length)
      const before = room
      room = Buffer.allocUnsafeSlow(larger)
      before.copy(room, 0, 0, length)
    }
    length += piece.copy(room, length)
    freePiece(piece)
  }

  return new Promise((resolve, reject) => {
    const listeners = { data, end, error: fail, close: () => fail(new Error('the body was broken off')) }
    function data(piece: Buffer): void {
      try {
        take(piece)
      } catch (error) {
        fail(error as Error)
      }
    }
    function end(): void {
      leave()
      resolve(room.subarray(0, length))
    }
    function fail(error: Error): void {
      leave()
      room = Buffer.alloc(0)
      reject(error)
    }
    function leave(): void {
      for (const [event, listener] of Object.entries(listeners)) message.off(event, listener)
    }
    for (const [event, listener] of Object.entries(listeners)) message.on(event, listener)
  })
}
