import { isUtf8 } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { appendAudit } from '../access/audit-trail.ts'
import { bearerChallenge } from '../access/bearer.ts'
import { transaction } from '../database/transaction.ts'
import type { ExportHeaders } from '../export/headers.ts'
import { type Problem, problem } from '../export/problem.ts'
import { type ExportRequest, parseExportRequest, type QueryString } from '../export/request.ts'
import { unknownPatients, withoutUnknownPatients } from '../export/unknown-patients.ts'
import { formatInstant } from '../fhir/instant.ts'
import { acceptJob, findLiveJob, isLockTimeout } from '../jobs/job.ts'
import { sendOutcome, sendProblems } from './answer.ts'
import { auditOf } from './audited.ts'
import { type Caller, callerOf } from './caller.ts'
import type { HttpContext } from './context.ts'
import { described, fhirJsonType, type RouteDescription, schemaNamed } from './description.ts'
import { retryAfterOf } from './job-status.ts'
import { knownPatients } from './known-patients.ts'
import { allowOnly } from './method-not-allowed.ts'

/** `POST Patient/$export` (S-1…S-60): 202 with the status URL, or every problem at once. */
export function kickOffRoute(scope: FastifyInstance, context: HttpContext): void {
  scope.post('/Patient/$export', { config: { audit: 'kick-off' }, schema: patientExport }, async (request, reply) => {
    const caller = callerOf(request)
    const parsed = parse(request, caller)
    if ('problems' in parsed) return refuse(reply, parsed.problems, caller, context, parsed.total)
    const existing = await knownPatients(context.pool, caller, parsed.request, parsed.request.patients)
    const unknown = unknownPatients(parsed.request, existing)
    if (unknown.length > 0 && !parsed.request.lenient) return refuse(reply, unknown, caller, context)
    const effective = withoutUnknownPatients(parsed.request, existing)
    return acceptExport(request, reply, context, effective, `${caller.base}/Patient/$export`)
  })
  allowOnly(scope, '/Patient/$export', ['POST'])
}

/** The headers and answers that all kick-offs have. */
export const kickOffDescription = {
  tag: 'Export',
  headers: {
    Accept: { type: 'string', description: 'Must allow FHIR JSON.', examples: ['application/fhir+json'] },
    Prefer: {
      type: 'string',
      description: '`handling=lenient` ignores what is not supported and tells so in warnings.',
      examples: ['respond-async', 'respond-async, handling=lenient'],
    },
  },
  answers: {
    202: {
      says: 'The export was accepted. The body is empty, or has a warning for each thing that was ignored.',
      headers: { 'Content-Location': 'The URL of the status.' },
      content: { [fhirJsonType]: { schema: schemaNamed('OperationOutcome') } },
    },
  },
  refusals: {
    400: 'Something is wrong with headers or parameters, or a patient is not known: every problem at once.',
    406: '`Accept` is missing or does not allow FHIR JSON.',
    422: 'A query of `_typeFilter` cannot be applied.',
    429: 'Another export of the client is in progress. `diagnostics` has its URL, `Retry-After` tells when to ask again.',
    503: 'The store is busy with a write, ask again after `Retry-After` seconds; or the issuer of the token cannot be asked now.',
  },
} as const satisfies Partial<RouteDescription>

const patientExport = described({
  ...kickOffDescription,
  summary: 'Start an export of chosen patients',
  token: 'system read scopes of the types that are exported',
  body: { [fhirJsonType]: schemaNamed('ExportParameters') },
  refusals: { ...kickOffDescription.refusals, 415: '`Content-Type` is missing or not FHIR JSON.' },
})

/** Accepts a request that has passed all checks: 202 with the status URL, or 429. `url` is the kick-off's, for the manifest. */
export async function acceptExport(
  request: FastifyRequest,
  reply: FastifyReply,
  context: HttpContext,
  effective: ExportRequest,
  url: string,
): Promise<FastifyReply> {
  const caller = callerOf(request)
  const job = { id: randomUUID(), tenant: caller.tenant, client: caller.grant.client, request: effective, url }
  const accepted = await transaction(context.pool, async (client) => {
    if (!(await acceptJob(client, context.enqueue, job))) return false
    await appendAudit(client, auditOf(request, acceptance(job.id, effective)))
    return true
  }).catch((error) => {
    if (isLockTimeout(error)) return 'busy'
    throw error
  })
  if (accepted === 'busy') return busy(reply, caller)
  if (!accepted) return throttle(reply, caller, context)
  request.log.info({ job: job.id, patients: effective.patients.length, types: effective.types }, 'export accepted')
  reply.header('Content-Location', `${caller.base}/bulk-export/jobs/${job.id}`)
  return effective.warnings.length > 0 ? sendOutcome(reply, 202, effective.warnings) : reply.code(202).send()
}

/** The patients are named, so that it can be told for ever whose data an export was asked for; filters may quote codes and are not. */
const acceptance = (job: string, { patients, types, filters, since }: ExportRequest) => ({
  kind: 'kick-off' as const,
  outcome: 'success' as const,
  subjects: [`Job/${job}`],
  patients,
  detail: {
    types: types.join(' '),
    filtered: Object.keys(filters).join(' '),
    ...(since === undefined ? {} : { since: formatInstant(since) }),
  },
})

/** The headers that matter to a kick-off. */
export function exportHeaders(request: FastifyRequest): ExportHeaders {
  const { accept, 'content-type': contentType } = request.headers
  return { accept, contentType, prefer: request.raw.headersDistinct.prefer ?? [] }
}

function parse(request: FastifyRequest, { grant, profile, base }: Caller) {
  const headers = exportHeaders(request)
  const body = request.body instanceof Buffer ? request.body : Buffer.alloc(0)
  const query = request.query as QueryString
  const text = isUtf8(body) ? body.toString('utf8') : undefined
  return parseExportRequest({ headers, query, body: text, base }, grant, profile)
}

/** Answers with the problems of a kick-off; `total` counts those too that are not among them. */
export function refuse(
  reply: FastifyReply,
  problems: readonly Problem[],
  caller: Caller,
  context: HttpContext,
  total = problems.length,
) {
  if (problems[0]!.status === 403) {
    reply.header('WWW-Authenticate', bearerChallenge(context.publicUrl, 'insufficient_scope'))
  }
  return sendProblems(reply, problems, caller.profile, total)
}

/** A writer has held up the kick-off for too long (T-170). */
function busy(reply: FastifyReply, caller: Caller) {
  reply.header('Retry-After', retryBusySeconds)
  const found = problem(503, 'transient', 'The store is busy with a write. Ask again in a moment.')
  return sendProblems(reply, [found], caller.profile)
}

const retryBusySeconds = 10

/** S-5: the client's place is taken. The answer names the job that holds it, and when to ask again. */
async function throttle(reply: FastifyReply, caller: Caller, context: HttpContext) {
  const live = await findLiveJob(context.pool, caller.tenant, caller.grant.client)
  reply.header('Retry-After', live ? await retryAfterOf(context, live) : 1)
  const diagnostics = live && `Running: ${caller.base}/bulk-export/jobs/${live.id}`
  const text = 'Another export of this client is in progress. Wait for it, or delete it.'
  return sendProblems(reply, [problem(429, 'throttled', text, diagnostics ? { diagnostics } : {})], caller.profile)
}
