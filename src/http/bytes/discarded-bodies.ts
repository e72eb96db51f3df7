import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { freePiece } from './own-bytes.ts'

/** What of unwanted bodies is read in a second, of all connections together. */
export const discardedBytesPerSecondMax = 32 * 1024 * 1024

/** When the next piece of an unwanted body may be read, on a clock of milliseconds that nobody sets. */
export class DiscardPace {
  #freeMs = 0

  /** @returns how long to wait after so many bytes */
  msAfter(bytes: number, nowMs: number): number {
    this.#freeMs = Math.max(nowMs, this.#freeMs) + (1_000 * bytes) / discardedBytesPerSecondMax
    return this.#freeMs - nowMs
  }
}

/**
 * Reads what is left of a body behind its answer, and throws it away: a connection that were closed at once would be reset, and a client
 * that is still sending would never see the answer. As fast as they come, the bodies of one client that is refused again and again would
 * take the answering thread a third of its time.
 */
export function discardBodies(app: FastifyInstance): void {
  const pace = new DiscardPace()
  app.addHook('onSend', async ({ raw }, _reply, payload) => {
    const { 'content-length': length = '0', 'transfer-encoding': coding } = raw.headers
    if (raw.complete === false && (length !== '0' || coding !== undefined)) discard(raw, pace)
    return payload
  })
}

function discard(body: IncomingMessage, pace: DiscardPace): void {
  body.on('data', (piece: Buffer) => {
    const { length } = piece
    freePiece(piece)
    body.pause()
    setTimeout(() => body.resume(), pace.msAfter(length, performance.now())).unref()
  })
  body.resume()
}
