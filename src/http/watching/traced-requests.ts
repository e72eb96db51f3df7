import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { formatTraceparent, parseTraceparent } from '../../telemetry/tracing/traceparent.ts'
import { isTracing, presentTraceparent, tracer } from '../../telemetry/tracing/tracing.ts'
import { onceAnswerEnds } from '../bytes/answer-end.ts'
import { methodOf } from './measured-requests.ts'

/**
 * Makes a span of each request, under the stable names of OpenTelemetry's conventions, where the operator has loaded an SDK. The path is not told,
 * but the pattern of its route: a path has ids of patients.
 */
export function traceRequests(app: FastifyInstance, scheme: 'http' | 'https'): void {
  if (!isTracing()) return
  app.addHook('onRequest', (request, reply, done) => {
    const route = request.routeOptions.url
    const method = methodOf(request)
    const parent = parseTraceparent(request.headers.traceparent)
    const span = tracer().startSpan(
      route === undefined ? method : `${method} ${route}`,
      {
        kind: SpanKind.SERVER,
        attributes: {
          'http.request.method': method,
          ...(route === undefined ? {} : { 'http.route': route }),
          'url.scheme': scheme,
          'millrace.request.id': request.id,
        },
      },
      parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT,
    )
    onceAnswerEnds(request.raw, reply.raw, () => {
      const { statusCode: status, headersSent } = reply.raw
      // A client that has given up was told no status.
      if (headersSent) span.setAttribute('http.response.status_code', status)
      if (headersSent && status >= 500) {
        span.setAttribute('error.type', String(status))
        span.setStatus({ code: SpanStatusCode.ERROR })
      }
      span.end()
    })
    context.with(trace.setSpan(ROOT_CONTEXT, span), done)
  })
}

/** The trace that a request belongs to: the server's span where there is one, else what its caller says. */
export function traceparentOf({ headers }: Pick<FastifyRequest, 'headers'>): string | undefined {
  const present = presentTraceparent()
  if (present !== undefined) return present
  const told = parseTraceparent(headers.traceparent)
  return told && formatTraceparent(told)
}
