import type { FastifyInstance } from 'fastify'
import { problem } from '../../protocol/problem.ts'
import { profiles } from '../../protocol/profile.ts'
import { sendProblems } from '../outcome-answer.ts'

/**
 * Refuses requests of HTTP/1.1 without `Host`, which Node would refuse without a body, and those with two, which a proxy in front could read
 * differently (RFC 9112 §3.2). Whether a body follows is not known, so the connection is closed.
 */
export function requireOneHost(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    const { httpVersion, rawHeaders } = request.raw
    const hosts = rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'host').length
    if (hosts === 1 || (hosts === 0 && httpVersion !== '1.1')) return
    const found = problem(400, 'structure', 'The request must have one Host header.')
    return sendProblems(reply.header('Connection', 'close'), [found], profiles.millennium)
  })
}
