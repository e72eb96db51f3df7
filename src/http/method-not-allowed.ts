import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify'
import { problem } from '../protocol/problem.ts'
import { profiles } from '../protocol/profile.ts'
import { undescribed } from './description.ts'
import { sendProblems } from './outcome-answer.ts'

const methods: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

/** Answers 405 with `Allow` to every other method of a path (T-152, T-153), before the caller is asked (§2.6). HEAD is allowed where GET is. */
export function allowOnly(app: FastifyInstance, path: string, allowed: readonly HTTPMethods[]): void {
  const withHead = allowed.includes('GET') ? [...allowed, 'HEAD'] : allowed
  const refuse = async (request: FastifyRequest, reply: FastifyReply) => {
    reply.header('Allow', withHead.join(', '))
    const text = `${request.method} is not supported here.`
    const found = problem(405, 'not-supported', text, { diagnostics: `Allowed: ${withHead.join(', ')}.` })
    return sendProblems(reply, [found], profiles.millennium)
  }
  app.route({
    method: methods.filter((method) => !withHead.includes(method)),
    url: path,
    config: { open: true },
    schema: undescribed,
    // Nobody has shown a token yet, so no body is read.
    onRequest: refuse,
    handler: refuse,
  })
}
