import type { FastifyInstance } from 'fastify'
import { problem } from '../../protocol/problem.ts'
import { profiles } from '../../protocol/profile.ts'
import { sendProblems } from '../outcome-answer.ts'

/**
 * Refuses requests that HTTP says must be refused and that Node would answer by itself, without a body: of HTTP/1.1 without `Host`, or with
 * two that a proxy in front could read differently (RFC 9112 §3.2), and those that expect something else than `100-continue` (RFC 9110
 * §10.1.1). Whether a body follows is not known, so the connection is closed.
 */
export function refuseUnsound(app: FastifyInstance): void {
  app.server.on('checkExpectation', (request, response) => app.routing(request, response))
  app.addHook('onRequest', async (request, reply) => {
    const { httpVersion, rawHeaders } = request.raw
    const hosts = rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'host').length
    if (hosts > 1 || (hosts === 0 && httpVersion === '1.1')) {
      const found = problem(400, 'structure', 'The request must have one Host header.')
      return sendProblems(reply.header('Connection', 'close'), [found], profiles.millennium)
    }
    const expectation = request.headers.expect
    if (expectation !== undefined && expectation.toLowerCase() !== '100-continue') {
      const found = problem(417, 'not-supported', 'The Expect header may only ask for 100-continue.')
      return sendProblems(reply.header('Connection', 'close'), [found], profiles.millennium)
    }
  })
}
