import { randomUUID } from 'node:crypto'
import type { Server } from 'node:http'
import Fastify, { type FastifyBaseLogger, type FastifyHttpOptions, type FastifyInstance, LogController } from 'fastify'
import { isTenantId } from '../access/registry/tenant.ts'
import { requestBytesMax } from '../protocol/limits.ts'
import { problem } from '../protocol/problem.ts'
import { profiles } from '../protocol/profile.ts'
import type { Sample } from '../telemetry/meter.ts'
import { adminRoutes } from './admin/admin-routes.ts'
import { auditRefusals } from './audit/audited-refusal.ts'
import { BytesInFlight } from './bytes/bytes-in-flight.ts'
import { countBytes } from './bytes/counted-bytes.ts'
import { discardBodies } from './bytes/discarded-bodies.ts'
import { knownCallerOf, profileOf, requireCaller } from './caller.ts'
import type { Certificate } from './connection/certificate.ts'
import { type ConnectionBounds, connectionBounds } from './connection/connection-bounds.ts'
import { answerExpectations } from './connection/expectation.ts'
import { requireOneHost } from './connection/one-host.ts'
import { OpenConnections } from './connection/open-connections.ts'
import { SparseLog } from './connection/sparse-log.ts'
import { refuseConnection, refusePath } from './connection/unreadable.ts'
import type { HttpContext } from './context.ts'
import { allowCrossOrigin } from './cors.ts'
import { metadataRoutes } from './discovery/metadata.ts'
import { collectDescriptions, documentationRoutes } from './discovery/openapi.ts'
import { smartConfigurationRoute } from './discovery/smart-configuration.ts'
import { handleFaults, notFound } from './faults.ts'
import { contentRoute } from './files/content.ts'
import { fileRoute } from './files/file.ts'
import { jobRoutes } from './files/job-status.ts'
import { healthRoutes } from './health.ts'
import { tokenRoutes } from './oauth/token.ts'
import { sendProblems } from './outcome-answer.ts'
import { limitRates, type Rates, ratesDefault, slowRefusals } from './rates.ts'
import { resourceReadRoutes } from './records/resource-read.ts'
import { addRequestIds, namesOfCaller } from './request-id.ts'
import { costlyRoutes } from './request-threads/costly-routes.ts'
import { handingOver, handOverRequests } from './request-threads/hand-over.ts'
import { addSecurityHeaders } from './security-headers.ts'
import { measureRequests } from './watching/measured-requests.ts'
import { metricsRoute } from './watching/metrics-page.ts'
import { traceRequests } from './watching/traced-requests.ts'

/** How the server meets the network. */
export interface Exposure {
  readonly bounds?: ConnectionBounds
  readonly rates?: Rates
  readonly bytes?: BytesInFlight
  /** TLS, where the server speaks it itself. */
  readonly certificate?: Certificate | undefined
  /** Addresses and networks of the proxies whose `X-Forwarded-For` is believed; nobody's without. */
  readonly proxies?: readonly string[]
  /** False: no line for each answer. */
  readonly accessLog?: boolean
  /** Told once of the server's own figures, which are asked for at each scrape. */
  readonly observed?: (levels: () => Sample[]) => void
}

/** Builds the HTTP server. Routes are listed here, one file each. */
export function buildServer(context: HttpContext, log: FastifyBaseLogger, exposure: Exposure = {}): FastifyInstance {
  const { bounds = connectionBounds, rates = ratesDefault, proxies = [] } = exposure
  const unreadable = new SparseLog(log, 'info', 'unreadable')
  const throttled = new SparseLog(log, 'info', 'answered')
  const app = Fastify({
    ...serverOptions(bounds, exposure.certificate),
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    childLoggerFactory: (logger, bindings, options, raw) =>
      logger.child({ ...bindings, ...namesOfCaller(raw.headers) }, options),
    trustProxy: proxies.length > 0 ? [...proxies] : false,
    bodyLimit: requestBytesMax,
    forceCloseConnections: 'idle',
    // What comes on an open connection while the server stops is answered like the rest, and the connection closed.
    return503OnClosing: false,
    clientErrorHandler: refuseConnection(context, {
      line: (kind, fields) => {
        context.meter.count('millrace_unreadable_requests_total')
        unreadable.line(kind, fields)
      },
    }),
    frameworkErrors: refusePath(context),
    rewriteUrl: (request) => (request.url ?? '/').replace('%24export', '$export'),
  })
  const drops = new SparseLog(log, 'warn', 'connection dropped')
  const connections = new OpenConnections(bounds, proxies, (cause, network) => {
    context.meter.count('millrace_connections_dropped_total', { cause })
    drops.line(cause, { cause, network })
  })
  connections.follow(app.server)
  app.addHook('onClose', async () => {
    for (const lines of [unreadable, throttled, drops]) lines.close()
  })
  handleFaults(app)
  const scheme = exposure.certificate ? 'https' : 'http'
  traceRequests(app, scheme)
  const requests = measureRequests(app, context.meter, scheme)
  const bytes = exposure.bytes ?? new BytesInFlight()
  exposure.observed?.(() => [
    ...requests(),
    { name: 'millrace_http_connections', value: connections.open },
    { name: 'millrace_bytes_in_flight', value: bytes.held },
  ])
  addRequestIds(app)
  addSecurityHeaders(app, context)
  if (exposure.accessLog !== false) logAnswers(app, throttled)
  requireOneHost(app)
  allowCrossOrigin(app)
  const limits = limitRates(app, rates)
  refuseUnknownPaths(app)
  refuseCompressedBodies(app)
  countBytes(app, bytes, bounds, context.meter)
  discardBodies(app)
  slowRefusals(app)
  answerExpectations(app)

  collectDescriptions(app, context)
  app.register(async (open) => {
    healthRoutes(open, context)
    tokenRoutes(open, context)
    smartConfigurationRoute(open, context)
    metadataRoutes(open, context)
    contentRoute(open, context, limits)
    documentationRoutes(open)
    adminRoutes(open, context)
    metricsRoute(open, context)
  })
  app.register(
    async (scope) => {
      requireCaller(scope, context, limits)
      auditRefusals(scope, context)
      jobRoutes(scope, context, limits)
      fileRoute(scope, context)
      resourceReadRoutes(scope, context, handingOver(context, limits))
      scope.register(async (costly) => {
        handOverRequests(costly, context, limits)
        costlyRoutes(costly, context, limits)
      })
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
    // Node would answer without an OperationOutcome; see `refuseUnsound`.
    requireHostHeader: false,
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

/** A path that is not there, or names no possible tenant, is answered before its body is read. URLs are made of the tenant's id. */
function refuseUnknownPaths(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    const { tenant } = (request.params ?? {}) as { tenant?: string }
    const nobodys = tenant !== undefined && !isTenantId(tenant) && !request.routeOptions.url?.startsWith('/admin/')
    if (request.is404 || nobodys) return sendProblems(reply, [notFound(request.method)], profiles.millennium)
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

/**
 * One log line for each answer: the route's pattern, not the URL, which may hold ids and signatures. Who asks too often must not fill the
 * log with it: those answers are counted.
 */
function logAnswers(app: FastifyInstance, throttled: SparseLog): void {
  app.addHook('onResponse', async (request, reply) => {
    const { method, routeOptions } = request
    const ms = Math.round(reply.elapsedTime)
    const caller = knownCallerOf(request)
    const who = caller && { tenant: caller.tenant, client: caller.grant.client }
    const fields = { method, route: routeOptions.url ?? null, status: reply.statusCode, ms, ...who }
    if (reply.statusCode === 429)
      throttled.line('429', { reqId: request.id, ...namesOfCaller(request.headers), ...fields })
    else request.log.info(fields, 'answered')
  })
}
