import { randomUUID } from 'node:crypto'
import type { Server } from 'node:http'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyHttpOptions,
  type FastifyInstance,
  type FastifyRequest,
  LogController,
} from 'fastify'
import { requestBytesMax } from '../protocol/limits.ts'
import { type Problem, problem } from '../protocol/problem.ts'
import { profiles } from '../protocol/profile.ts'
import { adminRoutes } from './admin/admin-routes.ts'
import { auditEventRoutes } from './audit/audit-event-routes.ts'
import { auditRefusals } from './audit/audited-refusal.ts'
import { profileOf, requireCaller } from './caller.ts'
import type { Certificate } from './connection/certificate.ts'
import { type ConnectionBounds, connectionBounds } from './connection/connection-bounds.ts'
import { refuseConnection, refusePath } from './connection/unreadable.ts'
import type { HttpContext } from './context.ts'
import { allowCrossOrigin } from './cors.ts'
import { isOutage, retryOutageSeconds } from './database-outage.ts'
import { metadataRoutes } from './discovery/metadata.ts'
import { collectDescriptions, documentationRoutes } from './discovery/openapi.ts'
import { smartConfigurationRoute } from './discovery/smart-configuration.ts'
import { contentRoute } from './files/content.ts'
import { fileRoute } from './files/file.ts'
import { jobRoutes } from './files/job-status.ts'
import { healthRoutes } from './health.ts'
import { groupKickOffRoute } from './kick-off/group-kick-off.ts'
import { patientKickOffRoute, systemKickOffRoute } from './kick-off/kick-off.ts'
import { tokenRoutes } from './oauth/token.ts'
import { sendOutcome, sendProblems } from './outcome-answer.ts'
import { limitRates, type Rates, ratesDefault } from './rates.ts'
import { bundleRoute } from './records/bundle.ts'
import { resourceReadRoutes } from './records/resource-read.ts'
import { resourceWriteRoutes } from './records/resource-write.ts'
import { addRequestIds } from './request-id.ts'
import { addSecurityHeaders } from './security-headers.ts'

/** How the server meets the network. */
export interface Exposure {
  readonly bounds?: ConnectionBounds
  readonly rates?: Rates
  /** TLS, where the server speaks it itself. */
  readonly certificate?: Certificate | undefined
  /** Addresses and networks of the proxies whose `X-Forwarded-For` is believed; nobody's without. */
  readonly proxies?: readonly string[]
}

/** Builds the HTTP server. Routes are listed here, one file each. */
export function buildServer(context: HttpContext, log: FastifyBaseLogger, exposure: Exposure = {}): FastifyInstance {
  const { bounds = connectionBounds, rates = ratesDefault, proxies = [] } = exposure
  const app = Fastify({
    ...serverOptions(bounds, exposure.certificate),
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    trustProxy: proxies.length > 0 ? [...proxies] : false,
    bodyLimit: requestBytesMax,
    forceCloseConnections: 'idle',
    // What comes on an open connection while the server stops is answered like the rest, and the connection closed.
    return503OnClosing: false,
    clientErrorHandler: refuseConnection(context, log),
    frameworkErrors: refusePath(context),
    rewriteUrl: (request) => (request.url ?? '/').replace('%24export', '$export'),
  })
  app.server.maxConnections = bounds.connectionsMax
  handleFaults(app)
  addRequestIds(app)
  addSecurityHeaders(app, context)
  logAnswers(app)
  allowCrossOrigin(app)
  const limits = limitRates(app, rates)
  refuseUnknownPaths(app)
  refuseCompressedBodies(app)
  // Bodies are read as bytes: JSON is parsed where its errors become an OperationOutcome, and stored to the letter.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))

  collectDescriptions(app, context)
  app.register(async (open) => {
    healthRoutes(open, context)
    tokenRoutes(open, context)
    smartConfigurationRoute(open, context)
    metadataRoutes(open, context)
    contentRoute(open, context, limits, bounds)
    documentationRoutes(open)
    adminRoutes(open, context)
  })
  app.register(
    async (scope) => {
      requireCaller(scope, context, limits)
      auditRefusals(scope, context)
      patientKickOffRoute(scope, context)
      groupKickOffRoute(scope, context)
      systemKickOffRoute(scope, context)
      jobRoutes(scope, context, limits)
      fileRoute(scope, context, bounds)
      bundleRoute(scope, context)
      auditEventRoutes(scope, context)
      resourceReadRoutes(scope, context)
      resourceWriteRoutes(scope, context)
    },
    { prefix: '/r4/:tenant' },
  )
  return app
}

/** The bounds of connections, for HTTP and for TLS alike. Fastify's types tell servers with TLS from those without; its routes do not. */
function serverOptions(bounds: ConnectionBounds, certificate: Certificate | undefined): FastifyHttpOptions<Server> {
  const http = {
    maxHeaderSize: bounds.headersBytesMax,
    headersTimeout: bounds.headersMsMax,
    requestTimeout: bounds.requestMsMax,
    connectionsCheckingInterval: bounds.lateEveryMs,
    // One that has both lengths, or headers that hold line ends, could be read differently by a proxy in front.
    insecureHTTPParser: false,
  }
  const options = {
    requestTimeout: bounds.requestMsMax,
    connectionTimeout: bounds.silenceMsMax,
    keepAliveTimeout: bounds.keepAliveMsMax,
    maxRequestsPerSocket: bounds.requestsPerConnectionMax,
  }
  if (!certificate) return { ...options, http }
  const https = { ...http, ...certificate.options, handshakeTimeout: bounds.handshakeMsMax }
  return { ...options, https } as FastifyHttpOptions<Server>
}

/** Whatever goes wrong becomes an OperationOutcome; what is our fault is logged with the request's id and not shown. */
function handleFaults(app: FastifyInstance): void {
  app.setNotFoundHandler((request, reply) => sendProblems(reply, [notFound(request.method)], profiles.millennium))
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (error.statusCode === 413) {
      // The rest of the body is read and thrown away. Closing at once, as Fastify would, resets the connection of a client that is
      // still sending, and it never sees the answer.
      reply.removeHeader('connection')
      request.raw.resume()
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
    if (isOutage(error)) {
      request.log.warn({ error: error.message, code: error.code }, 'store not reached')
      reply.header('Retry-After', retryOutageSeconds)
      return sendProblems(reply, [isLook(request) ? outage : unknownOutcome], profileOf(request))
    }
    request.log.error({ error: error.message, code: error.code, stack: error.stack }, 'request failed')
    const diagnostics = `Tell the operator the request id ${request.id}.`
    return sendOutcome(reply, 500, [{ severity: 'fatal', code: 'exception', text: 'Internal error.', diagnostics }])
  })
}

/** P6: a job or record that is only looked at is not affected. */
const outage = problem(503, 'transient', 'The store cannot be reached at the moment. Ask again later.')

/** The store may have gone away between doing and saying so: the answer to a commit can be lost. */
const unknownOutcome = problem(
  503,
  'transient',
  'The store was lost during the request. Look whether it has taken effect before you ask again.',
)

const isLook = ({ method }: FastifyRequest): boolean => method === 'GET' || method === 'HEAD'

/** A path that is not there is answered before its body is read. */
function refuseUnknownPaths(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    if (request.is404) return sendProblems(reply, [notFound(request.method)], profiles.millennium)
  })
}

/** A small body that unpacks to a large one costs its sender nothing: none is unpacked, and that is said (RFC 9110 §15.5.16). */
function refuseCompressedBodies(app: FastifyInstance): void {
  app.addHook('preParsing', async (request, reply) => {
    const coding = request.headers['content-encoding']
    if (coding === undefined || coding.trim().toLowerCase() === 'identity') return
    const found = problem(415, 'not-supported', 'A compressed body is not accepted.', {
      diagnostics: 'Send it without Content-Encoding.',
    })
    return sendProblems(reply.header('Accept-Encoding', 'identity'), [found], profileOf(request))
  })
}

const notFound = (method: string): Problem => problem(404, 'not-found', `There is nothing at ${method} of this path.`)

/** One log line for each answer: the route's pattern, not the URL, which may hold ids and signatures. */
function logAnswers(app: FastifyInstance): void {
  app.addHook('onResponse', async (request, reply) => {
    const { method, routeOptions } = request
    const ms = Math.round(reply.elapsedTime)
    request.log.info({ method, route: routeOptions.url ?? null, status: reply.statusCode, ms }, 'answered')
  })
}
