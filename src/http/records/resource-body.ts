import { isUtf8 } from 'node:buffer'
import type { FastifyRequest } from 'fastify'
import type { TextFault } from '../../fhir/resource-text.ts'
import { type Problem, problem } from '../../protocol/problem.ts'
import { checkContentType } from '../../protocol/request/headers.ts'

/** The text of a FHIR JSON body, or why there is none. */
export function bodyText(request: FastifyRequest): string | Problem {
  const [wrongType] = checkContentType(request.headers['content-type'])
  if (wrongType) return wrongType
  const body = request.body
  if (!(body instanceof Buffer) || body.length === 0) return problem(400, 'structure', 'The body is empty.')
  return isUtf8(body) ? body.toString('utf8') : problem(400, 'structure', 'The body is not UTF-8.')
}

/** A fault of a resource's text as a problem of the request. */
export function faultProblem({ fault, expression }: TextFault): Problem {
  return problem(400, 'structure', 'The resource cannot be stored.', {
    diagnostics: fault,
    ...(expression === undefined ? {} : { expression }),
  })
}

/** Reads `If-Match: W/"3"`; 'invalid' when there is one that names no version. */
export function ifMatchVersion(header: unknown): number | 'invalid' | undefined {
  if (header === undefined) return undefined
  const match = /^(?:W\/)?"(\d{1,9})"$/.exec(typeof header === 'string' ? header.trim() : '')
  return match ? Number(match[1]) : 'invalid'
}

export const versionTag = (version: number): string => `W/"${version}"`
