import type { FastifyReply } from 'fastify'
import type { ConnectionBounds } from '../connection/connection-bounds.ts'

/**
 * Lets a reader go that takes an answer too slowly: it would hold a file and a connection for ever. With the connection the stream
 * behind the answer is closed. What is missing can be fetched later with `Range`.
 */
export function keepPace(reply: FastifyReply, { paceMs, paceBytesMin }: ConnectionBounds): void {
  const response = reply.raw
  const { socket } = response
  if (!socket) return
  let taken = socket.bytesWritten
  const beat = setInterval(() => {
    if (socket.bytesWritten - taken < paceBytesMin) {
      reply.log.info({ bytes: socket.bytesWritten }, 'slow reader')
      socket.destroy()
    }
    taken = socket.bytesWritten
  }, paceMs)
  response.once('close', () => clearInterval(beat))
}
