import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { operationOutcome } from '../../fhir/operation-outcome.ts'
import { type Problem, problem } from '../../protocol/problem.ts'
import { profiles } from '../../protocol/profile.ts'
import { fhirJson, sendProblems } from '../outcome-answer.ts'
import { requestIdHeaders } from '../request-id.ts'
import { securityHeaders } from '../security-headers.ts'
import type { SparseLog } from './sparse-log.ts'

/** What a client must know to do better. All that is not HTTP gets the same answer, so that a prober learns nothing. */
function connectionProblem(code: string | undefined): Problem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return problem(408, 'timeout', 'The request came too slowly.')
  if (code === 'HPE_HEADER_OVERFLOW') return problem(431, 'too-long', 'The headers of the request are too large.')
  return problem(400, 'structure', 'The request cannot be read.')
}

/** What Node's HTTP reports; the rest is about the connection, or TLS. */
const httpErrors = /^(HPE_|ERR_HTTP_)/

/**
 * Answers what never became a request: not HTTP, too large in its headers, or too slow. Such a connection is closed after the answer,
 * because where its next request begins is not known (request smuggling).
 */
export function refuseConnection(
  context: { readonly publicUrl: string },
  lines: Pick<SparseLog, 'line'>,
): (error: NodeJS.ErrnoException, socket: Socket) => void {
  return (error, socket) => {
    // Without a TLS handshake nothing can be said, and an answer would wait for one.
    if (!httpErrors.test(error.code ?? '') || !socket.writable) {
      socket.destroy()
      return
    }
    const id = randomUUID()
    const found = connectionProblem(error.code)
    lines.line(error.code ?? '', { reqId: id, status: found.status, code: error.code })
    socket.end(answerText(found, { ...securityHeaders(context.publicUrl), ...requestIdHeaders(id) }), () =>
      socket.destroy(),
    )
  }
}

function answerText(found: Problem, headers: Readonly<Record<string, string>>): string {
  const body = JSON.stringify(operationOutcome([found]))
  const all = {
    ...headers,
    'Content-Type': fhirJson,
    'Content-Length': String(Buffer.byteLength(body)),
    Connection: 'close',
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  return `HTTP/1.1 ${found.status} ${STATUS_CODES[found.status]}\r\n${lines.join('\r\n')}\r\n\r\n${body}`
}

/** Answers a request whose path cannot be read, before any route or hook has seen it. */
export function refusePath(context: {
  readonly publicUrl: string
}): (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => void {
  return (error, request, reply) => {
    reply.headers({ ...securityHeaders(context.publicUrl), ...requestIdHeaders(request.id) })
    const long = error.code === 'FST_ERR_MAX_PARAM_LENGTH'
    const found = long
      ? problem(414, 'too-long', 'A part of the path is too long.')
      : problem(400, 'structure', 'The path cannot be read: a percent sign is not followed by two hexadecimal digits.')
    sendProblems(reply, [found], profiles.millennium)
  }
}
