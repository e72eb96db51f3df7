import { isUtf8 } from 'node:buffer'
import type { FastifyRequest } from 'fastify'
import type { TextFault } from '../../fhir/resource-text.ts'
import { type Problem, problem } from '../../protocol/problem.ts'
import { checkContentType } from '../../protocol/request/headers.ts'
import { freeBytes } from '../bytes/own-bytes.ts'

/** What speaks against bytes before a text is made of them. */
type Judge = (bytes: Buffer) => Problem | undefined

/** The text of a FHIR JSON body, or why there is none. */
export function bodyText(request: FastifyRequest, judge: Judge = () => undefined): string | Problem {
  const [wrongType] = checkContentType(request.headers['content-type'])
  if (wrongType) return wrongType
  const body = request.body
  if (!(body instanceof Buffer) || body.length === 0) return problem(400, 'structure', 'The body is empty.')
  if (!isUtf8(body)) return problem(400, 'structure', 'The body is not UTF-8.')
  return judge(body) ?? body.toString('utf8')
}

/** The same of a body that is read once: its text takes its place. */
export function takeBodyText(request: FastifyRequest, judge?: Judge): string | Problem {
  const text = bodyText(request, judge)
  if (request.body instanceof Buffer) freeBytes(request.body)
  request.body = undefined
  return text
}

/** A fault of a resource's text as a problem of the request. */
export function faultProblem({ kind, fault, expression }: TextFault): Problem {
  const more = { diagnostics: fault, ...(expression === undefined ? {} : { expression }) }
  if (kind === 'extension') {
    return problem(422, 'extension', 'A resource with a modifier extension that is not understood is not stored.', more)
  }
  return problem(400, 'structure', 'The resource cannot be stored.', more)
}

/** Reads `If-Match: W/"3"`; 'invalid' when there is one that names no version. */
export function ifMatchVersion(header: unknown): number | 'invalid' | undefined {
  if (header === undefined) return undefined
  const match = /^(?:W\/)?"(\d{1,9})"$/.exec(typeof header === 'string' ? header.trim() : '')
  return match ? Number(match[1]) : 'invalid'
}

export const versionTag = (version: number): string => `W/"${version}"`
