import { METHODS } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Meter, Sample } from '../../telemetry/meter.ts'
import { onceAnswerEnds } from '../bytes/answer-end.ts'

const known = new Set(METHODS)

/** A method as a name of few: a caller may make one up. */
export const methodOf = ({ method }: FastifyRequest): string => (known.has(method) ? method : '_OTHER')

/**
 * Measures requests by their route's pattern and never by their path, which may hold ids: from their headers until the answer has left, or
 * nobody waits for it any more.
 * @returns how many are not answered
 */
export function measureRequests(app: FastifyInstance, meter: Meter, scheme: 'http' | 'https'): () => Sample[] {
  let active = 0
  app.addHook('onRequest', (request, reply, done) => {
    const began = performance.now()
    active += 1
    onceAnswerEnds(request.raw, reply.raw, () => {
      active -= 1
      meter.observe('http_server_request_duration_seconds', (performance.now() - began) / 1000, {
        http_request_method: methodOf(request),
        http_route: request.routeOptions.url ?? '',
        http_response_status_code: reply.raw.headersSent ? String(reply.raw.statusCode) : 'none',
        url_scheme: scheme,
      })
    })
    done()
  })
  return () => [{ name: 'http_server_active_requests', value: active }]
}
