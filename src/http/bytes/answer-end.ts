import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Of each connection, what is to be done should it close before its answers have left. */
const waiting = new WeakMap<Socket, Set<() => void>>()

/**
 * Calls `ended` once, when an answer has left or its connection is closed. An answer that waits for the one before it on its connection is
 * not told that the connection closes; its request's socket is.
 */
export function onceAnswerEnds({ socket }: IncomingMessage, response: ServerResponse, ended: () => void): void {
  if (socket.destroyed || response.closed) {
    ended()
    return
  }
  const ends = waiting.get(socket) ?? follow(socket)
  const end = () => {
    response.off('close', end)
    if (ends.delete(end)) ended()
  }
  ends.add(end)
  response.once('close', end)
}

function follow(socket: Socket): Set<() => void> {
  const ends = new Set<() => void>()
  waiting.set(socket, ends)
  socket.once('close', () => {
    for (const end of [...ends]) end()
  })
  return ends
}
