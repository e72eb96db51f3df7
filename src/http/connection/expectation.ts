import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { problem } from '../../protocol/problem.ts'
import { profileOf } from '../caller.ts'
import { sendProblems } from '../outcome-answer.ts'

/** A request whose body waits to be asked for, or that asks for something else. */
interface Waiting {
  readonly understood: boolean
  /** Whether the connection would be kept if the body came. */
  readonly keepAlive: boolean
}

/**
 * `Expect: 100-continue`: the body is asked for when nothing speaks against the request any more but the body itself: its caller is known
 * and not too fast, its path exists, its length is allowed. Node alone would ask everybody, and take bodies of strangers. A body that was not
 * asked for may come or not, so that nobody knows where the next request begins: the connection is closed after the answer (RFC 9110
 * §10.1.1). Any other expectation is refused with 417.
 */
export function answerExpectations(app: FastifyInstance): void {
  const requests = new WeakMap<IncomingMessage, Waiting>()
  const wait = (understood: boolean) => (message: IncomingMessage, response: ServerResponse) => {
    requests.set(message, { understood, keepAlive: response.shouldKeepAlive })
    response.shouldKeepAlive = false
    app.server.emit('request', message, response)
  }
  app.server.on('checkContinue', wait(true))
  app.server.on('checkExpectation', wait(false))

  app.addHook('onRequest', async (request, reply) => {
    if (requests.get(request.raw)?.understood !== false) return
    const text = 'The Expect header asks for something other than 100-continue.'
    return sendProblems(reply, [problem(417, 'not-supported', text)], profileOf(request))
  })
  // The last hook before a body is read. Those that refuse without reading one are before it.
  app.addHook('preParsing', async (request, reply) => {
    const waiting = requests.get(request.raw)
    if (!waiting) return
    if (Number(request.headers['content-length'] ?? 0) > request.routeOptions.bodyLimit) return
    requests.delete(request.raw)
    reply.raw.shouldKeepAlive = waiting.keepAlive
    reply.raw.writeContinue()
  })
  app.addHook('onSend', async (request, reply) => {
    if (requests.has(request.raw)) reply.header('Connection', 'close')
  })
}
