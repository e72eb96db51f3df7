import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Problem, problem } from '../protocol/problem.ts'
import { profiles } from '../protocol/profile.ts'
import { Contended } from '../records/write/attempts.ts'
import { TooManyBytes } from './bytes/bytes-in-flight.ts'
import { sendTooManyBytes } from './bytes/too-many-bytes.ts'
import { profileOf } from './caller.ts'
import { isOutage, retryOutageSeconds } from './database-outage.ts'
import { TooManyWaiting } from './fair-queue.ts'
import { onlyLooks } from './only-looks.ts'
import { sendOutcome, sendProblems } from './outcome-answer.ts'
import { Stopping } from './request-threads/request-thread-pool.ts'

/** Whatever goes wrong becomes an OperationOutcome; what is our fault is logged with the request's id and not shown. */
export function handleFaults(app: FastifyInstance): void {
  app.setNotFoundHandler((request, reply) => sendProblems(reply, [notFound(request.method)], profiles.millennium))
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (wasBrokenOff(request)) {
      request.log.info({ reason: error.message }, 'request broken off')
      return reply.code(400).send()
    }
    if (error instanceof TooManyBytes) return sendTooManyBytes(readOn(reply), error, profileOf(request))
    if (error.statusCode === 413) {
      readOn(reply)
      const found = problem(413, 'too-long', `The body is larger than ${request.routeOptions.bodyLimit} bytes.`)
      return sendProblems(reply, [found], profileOf(request))
    }
    if (error.statusCode === 415) {
      const found = problem(415, 'not-supported', 'The Content-Type header cannot be read.')
      return sendProblems(reply, [found], profileOf(request))
    }
    if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500) {
      return sendProblems(reply, [problem(400, 'structure', 'The request cannot be read.')], profileOf(request))
    }
    if (error instanceof TooManyWaiting) {
      return sendProblems(reply.header('Retry-After', retryWritesSeconds), [tooManyWait], profileOf(request))
    }
    if (error instanceof Contended) {
      reply.header('Retry-After', retryWritesSeconds)
      return sendProblems(reply, [contended], profileOf(request))
    }
    if (error instanceof Stopping) {
      return sendProblems(reply.header('Retry-After', retryOutageSeconds), [stopping], profileOf(request))
    }
    if (isOutage(error)) {
      request.log.warn({ error: error.message, code: error.code }, 'store not reached')
      reply.header('Retry-After', retryOutageSeconds)
      return sendProblems(reply, [onlyLooks(request) || isRefused(error) ? outage : unknownOutcome], profileOf(request))
    }
    request.log.error({ error: error.message, code: error.code, stack: error.stack }, 'request failed')
    const diagnostics = `Tell the operator the request id ${request.id}.`
    return sendOutcome(reply, 500, [{ severity: 'fatal', code: 'exception', text: 'Internal error.', diagnostics }])
  })
}

/** The rest of a body that is refused is read and thrown away (`discardBodies`). Fastify would close the connection. */
const readOn = (reply: FastifyReply): FastifyReply => reply.removeHeader('connection')

/** Whoever has sent a part of a body and gone away. */
const wasBrokenOff = ({ raw }: FastifyRequest): boolean => raw.destroyed && raw.complete === false

/** One client has so many at work and waiting: the rate of requests has nothing to do with it. */
const tooManyWait = problem(
  429,
  'throttled',
  'Too many writes and large requests wait already. Nothing was done. Ask again later.',
)

/** When a write may come again that came while too many waited, or met others of the same records. */
const retryWritesSeconds = 1

const contended = problem(409, 'conflict', 'Others are changing the same records. Nothing was written. Ask again.')

/** Another server, or this one when it is back, will take it. */
const stopping = problem(503, 'transient', 'The server stops. Nothing was done. Ask again later.')

/** P6: a job or record that is only looked at is not affected. */
const outage = problem(503, 'transient', 'The store cannot be reached at the moment. Ask again later.')

/** PostgreSQL has no place for another connection: what needed one has done nothing. */
const isRefused = ({ code }: FastifyError): boolean => code === '53300'

/** The store may have gone away between doing and saying so: the answer to a commit can be lost. */
const unknownOutcome = problem(
  503,
  'transient',
  'The store was lost during the request. Look whether it has taken effect before you ask again.',
)

export const notFound = (method: string): Problem =>
  problem(404, 'not-found', `There is nothing at ${method} of this path.`)
