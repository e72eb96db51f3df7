import type { FastifyError, FastifyInstance } from 'fastify'
import { GuessLimit } from '../../access/guess-limit.ts'
import { outboundBytesMax } from '../../access/issuers/outbound.ts'
import { isAdministrator } from '../../access/registry/administrator.ts'
import { storeChain } from '../../audit/entry.ts'
import { Failure } from '../../failure.ts'
import { keepRefusal } from '../audit/audited-refusal.ts'
import { TooManyBytes } from '../bytes/bytes-in-flight.ts'
import { heldBytesOf } from '../bytes/counted-bytes.ts'
import { retryBytesSeconds, tooManyBytesProblem } from '../bytes/too-many-bytes.ts'
import type { HttpContext } from '../context.ts'
import { isOutage, retryOutageSeconds } from '../database-outage.ts'
import { undescribed } from '../description.ts'
import { AdminRefusal, refusalOf, sendError } from './admin-answer.ts'
import { adminAuditRoutes } from './audit.ts'
import { adminClientRoutes } from './clients.ts'
import { adminJobRoutes } from './jobs.ts'
import { adminTenantRoutes } from './tenants.ts'

/** A body holds at most a key set and a few names. */
const bodyBytesMax = outboundBytesMax + 8192

/** The administrator API, under `/admin`, with a credential of its own that no tenant's token replaces. */
export function adminRoutes(app: FastifyInstance, context: HttpContext): void {
  app.register(
    async (scope) => {
      scope.addHook('onRoute', (route) => {
        route.bodyLimit = bodyBytesMax
        // It is the operator's, and not part of what client developers are shown.
        route.config = { ...route.config, cors: false }
        route.schema = undescribed
      })
      requireAdministrator(scope, context)
      answerFaults(scope)
      refusePages(scope)
      adminTenantRoutes(scope, context)
      adminClientRoutes(scope, context)
      adminJobRoutes(scope, context)
      adminAuditRoutes(scope, context)
    },
    { prefix: '/admin' },
  )
}

/** No page of another origin has any business here, whoever opened it: no CORS headers, and preflight requests are refused like all others. */
function refusePages(scope: FastifyInstance): void {
  scope.options('/*', async (_request, reply) => reply.callNotFound())
}

/** Before a body is read: the credential, and not too many wrong ones from one address. */
function requireAdministrator(scope: FastifyInstance, context: HttpContext): void {
  const limit = new GuessLimit(() => performance.now())
  scope.addHook('onRequest', async (request, reply) => {
    const { authorization } = request.headers
    // A right one passes while its address is refused, which others may have brought about: 256 random bits are not guessed.
    if (await isAdministrator(context.pool, authorization)) {
      heldBytesOf(request).paidBy({ kind: 'client', tenant: storeChain, client: 'administrator' })
      return
    }
    const waitMs = limit.waitMs(request.ip)
    const reason = waitMs > 0 ? 'too many wrong credentials' : 'wrong credential'
    const event = { tenant: storeChain, kind: 'administration' as const, outcome: 'refused' as const, reason }
    const detail = { method: request.method, route: request.routeOptions.url ?? '', status: waitMs > 0 ? 429 : 401 }
    keepRefusal(request, context, { ...event, detail, agent: { kind: 'stranger' } })
    if (waitMs > 0) {
      reply.header('Retry-After', Math.ceil(waitMs / 1000))
      return sendError(
        reply,
        new AdminRefusal(429, 'Too many wrong credentials came from this address.', 'Try again later.'),
      )
    }
    if (authorization !== undefined) limit.wrong(request.ip)
    reply.header('WWW-Authenticate', 'Bearer realm="Millrace administration"')
    const advice = 'Send it as "Authorization: Bearer …". A new one is made with: bin/millrace admin reset'
    return sendError(reply, new AdminRefusal(401, "The administrator's credential is missing or wrong.", advice))
  })
}

/** Whatever goes wrong is told as `{ error: { message, advice } }`. */
function answerFaults(scope: FastifyInstance): void {
  scope.setErrorHandler((error: FastifyError | AdminRefusal | Failure, request, reply) => {
    if (error instanceof AdminRefusal) return sendError(reply, error)
    if (error instanceof Failure) return sendError(reply, refusalOf(error, 400))
    if (error instanceof TooManyBytes) {
      reply.header('Retry-After', retryBytesSeconds)
      const { status, text, diagnostics = '' } = tooManyBytesProblem(error)
      return sendError(reply, new AdminRefusal(status, text, diagnostics))
    }
    if (error.statusCode === 413)
      return sendError(reply, new AdminRefusal(413, 'The body is too large.', `At most ${bodyBytesMax} bytes.`))
    if (error.statusCode !== undefined && error.statusCode < 500) {
      return sendError(reply, new AdminRefusal(400, 'The request cannot be read.', 'Look at its headers and its body.'))
    }
    if (isOutage(error)) {
      request.log.warn({ error: error.message, code: error.code }, 'store not reached')
      reply.header('Retry-After', retryOutageSeconds)
      return sendError(reply, new AdminRefusal(503, 'The store cannot be reached at the moment.', 'Try again later.'))
    }
    request.log.error({ error: error.message, code: error.code, stack: error.stack }, 'request failed')
    return sendError(
      reply,
      new AdminRefusal(500, 'Internal error.', `The log has more under the request id ${request.id}.`),
    )
  })
}
