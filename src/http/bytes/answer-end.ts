import type { IncomingMessage, ServerResponse } from 'node:http'

/**
 * Calls `ended` once, when an answer has left or its connection is closed, also while it waits for the one before it on its connection. An
 * answer that was closed before does so no second time.
 */
export function onceAnswerEnds({ socket }: IncomingMessage, response: ServerResponse, ended: () => void): void {
  if (socket.destroyed || response.closed) ended()
  else response.once('close', ended)
}
