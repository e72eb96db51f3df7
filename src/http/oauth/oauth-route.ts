import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify'
import { comeAgain, type OAuthError, oauthError } from '../../access/tokens/oauth-error.ts'
import { formCharsMax, type PostedRequest } from '../../access/tokens/posted-form.ts'
import { TooManyBytes } from '../bytes/bytes-in-flight.ts'
import { retryBytesSeconds, tooManyBytesProblem } from '../bytes/too-many-bytes.ts'
import { undescribed } from '../description.ts'

const refusedMethods = ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE'] as const

/**
 * A route that takes a posted form and answers as OAuth does (RFC 6749 §5), also what is no form or not posted (T-195). Answers are
 * never kept.
 */
export function oauthRoute(
  app: FastifyInstance,
  path: string,
  schema: FastifySchema,
  answer: (posted: PostedRequest, tenant: string, request: FastifyRequest) => Promise<object | OAuthError>,
): void {
  // The endpoints have limits of their own, and answer in their own way.
  const config = { countedBy: 'nobody' } as const
  app.post(path, { bodyLimit: formCharsMax, errorHandler: refuseUnread, config, schema }, async (request, reply) => {
    const { tenant } = request.params as { tenant: string }
    const posted = {
      contentType: request.headers['content-type'],
      authorization: request.headers.authorization,
      body: request.body instanceof Buffer ? request.body.toString('utf8') : '',
      address: request.ip,
    }
    return send(request, reply, await answer(posted, tenant, request))
  })
  const refuseMethod = async (request: FastifyRequest, reply: FastifyReply) =>
    send(request, reply.header('Allow', 'POST'), oauthError('invalid_request', 'use POST', { status: 405 }))
  // Nobody has said who asks, so no body is read.
  app.route({
    method: [...refusedMethods],
    url: path,
    config,
    schema: undescribed,
    onRequest: refuseMethod,
    handler: refuseMethod,
  })
}

function send(request: FastifyRequest, reply: FastifyReply, answer: object | OAuthError): FastifyReply {
  reply.header('Cache-Control', 'no-store').header('Pragma', 'no-cache').type('application/json')
  if (!('error' in answer)) return reply.send(JSON.stringify(answer))
  const { status, challenge, retryAfter, ...error } = answer
  if (challenge !== undefined) reply.header('WWW-Authenticate', challenge)
  if (retryAfter !== undefined) reply.header('Retry-After', retryAfter)
  const { tenant } = request.params as { tenant: string }
  // The description may quote the request: scopes with queries, which may hold codes and identifiers.
  // Who asks too often must not fill the log with it; the answers are counted there.
  if (status !== 429) request.log.info({ tenant, error: error.error, status }, 'token refused')
  return reply.code(status).send(JSON.stringify(error))
}

function refuseUnread(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  if (error instanceof TooManyBytes) {
    const { status, text } = tooManyBytesProblem(error)
    request.raw.resume()
    send(request, reply.removeHeader('connection'), comeAgain(status as 429 | 503, retryBytesSeconds, text))
    return
  }
  const status = error.statusCode ?? 500
  if (status < 400 || status >= 500) throw error
  if (status === 413) {
    // As for every other route: the rest is read and thrown away, so that the answer arrives.
    reply.removeHeader('connection')
    request.raw.resume()
  }
  const text = status === 413 ? `the body is larger than ${formCharsMax} bytes` : 'the request cannot be read'
  send(request, reply, oauthError('invalid_request', text, { status: status === 413 ? 413 : 400 }))
}
