import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { parseTraceparent } from '../telemetry/tracing/traceparent.ts'

/** S-56, S-57: the headers that name a request; the log has the same id. A client's own id is never taken over, but kept beside it. */
export const requestIdHeaders = (id: string): Readonly<Record<string, string>> => ({
  'X-Request-Id': id,
  'opc-request-id': id,
})

/** Every answer names its request. */
export function addRequestIds(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(requestIdHeaders(request.id))
  })
}

/** A longer id is not kept. */
export const callerIdCharsMax = 128

/** How a caller or a proxy in front names the request: its `X-Request-Id`, and the trace of its `traceparent`; only what is one plain word. */
export function namesOfCaller(headers: IncomingHttpHeaders): {
  readonly callerReqId?: string
  readonly traceId?: string
} {
  const id = headers['x-request-id']
  const isKept = typeof id === 'string' && id.length <= callerIdCharsMax && /^[\w.:@+/=-]+$/.test(id)
  const traceId = parseTraceparent(headers.traceparent)?.traceId
  return { ...(isKept ? { callerReqId: id } : {}), ...(traceId === undefined ? {} : { traceId }) }
}
