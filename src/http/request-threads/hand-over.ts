import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { onceAnswerEnds } from '../bytes/answer-end.ts'
import { freeBytes } from '../bytes/own-bytes.ts'
import { roomOf } from '../bytes/room.ts'
import { callerOf } from '../caller.ts'
import type { HttpContext } from '../context.ts'
import type { RateLimits } from '../rates.ts'
import { traceparentOf } from '../watching/traced-requests.ts'
import type { HandedAnswer, HandedRequest } from './handed-request.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a request costs does not show in its body: another thread carries it out, however small it is. */
    readonly costly?: boolean
    /** It only looks at records. */
    readonly looks?: boolean
  }
}

/** The longest body that the answering thread reads itself: the worst one of this size takes it a millisecond or two. */
export const ownBodyBytesMax = 16 * 1024

/**
 * Hands requests of a scope over to another thread when they are costly or their bodies large, and answers with what it says. The caller is
 * known by then, and everything else about the answer, headers of all answers, audit of refusals, the log, happens here.
 */
export function handOverRequests(
  scope: FastifyInstance,
  context: Pick<HttpContext, 'threads' | 'publicUrl'>,
  limits: Pick<RateLimits, 'charge'>,
): void {
  const handOver = handingOver(context, limits)
  scope.addHook('preHandler', async (request, reply) => (isCostly(request) ? handOver(request, reply) : undefined))
}

/** Has a request answered by another thread. */
export function handingOver(
  context: Pick<HttpContext, 'threads' | 'publicUrl'>,
  limits: Pick<RateLimits, 'charge'>,
): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply> {
  return async (request, reply) => {
    const handed = handedRequest(request, context.publicUrl)
    const answer = await context.threads.carry(handed, {
      log: (level, fields, text) => request.log[level](fields, text),
      room: roomOf(request),
    })
    limits.charge(handed.caller.client, answer.charged)
    return send(request, reply, answer)
  }
}

function isCostly({ body, routeOptions }: FastifyRequest): boolean {
  return routeOptions.config.costly === true || (body instanceof Buffer && body.length > ownBodyBytesMax)
}

function handedRequest(request: FastifyRequest, publicUrl: string): HandedRequest {
  const { id, method, raw, ip, body, routeOptions } = request
  const { grant, profile } = callerOf(request)
  const { costly, kickOff, looks } = routeOptions.config
  return {
    id,
    method,
    url: raw.url ?? '/',
    traceparent: traceparentOf(request),
    rawHeaders: raw.rawHeaders,
    address: ip,
    caller: { tenant: grant.tenant, client: grant.client, scopes: grant.scopes },
    profile,
    publicUrl,
    writes: costly !== true && kickOff === undefined && looks !== true,
    body: body instanceof Buffer ? body : undefined,
  }
}

function send(request: FastifyRequest, reply: FastifyReply, answer: HandedAnswer): FastifyReply {
  const { status, headers, payload } = answer
  reply.code(status).headers(headers)
  if (request.method === 'HEAD') return reply.header('Content-Length', answer.length).send()
  if (payload.length === 0) return reply.send()
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length)
  // It came from another thread and nobody else has it: as garbage, large ones would have this thread collect.
  onceAnswerEnds(request.raw, reply.raw, () => freeBytes(payload))
  // What is refused is looked at as text, and short.
  return reply.send(status < 400 ? bytes : bytes.toString())
}
