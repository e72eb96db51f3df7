import { isUtf8 } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { bearerChallenge } from '../../access/bearer.ts'
import { appendAudit } from '../../audit/trail.ts'
import { transaction } from '../../database/transaction.ts'
import { formatInstant } from '../../fhir/instant.ts'
import { acceptJob, findLiveJob, isLockTimeout, packJob } from '../../jobs/job.ts'
import { type Problem, problem } from '../../protocol/problem.ts'
import type { ExportLevel } from '../../protocol/profile.ts'
import type { ExportRequest } from '../../protocol/request/export-request.ts'
import { parseExportQuery, parseExportRequest, type QueryString } from '../../protocol/request/parse-request.ts'
import { unknownPatients, withoutUnknownPatients } from '../../protocol/request/unknown-patients.ts'
import { isOutdated } from '../../records/rules/outdated-tenants.ts'
import { auditOf } from '../audit/audited-refusal.ts'
import { type Caller, callerOf } from '../caller.ts'
import type { StoreContext } from '../context.ts'
import { retryAfterOf } from '../files/job-status.ts'
import { sendOutcome, sendProblems } from '../outcome-answer.ts'
import { costOf, type RateLimits } from '../rates.ts'
import { traceparentOf } from '../watching/traced-requests.ts'
import { kickOffPath } from './kick-off-methods.ts'
import { knownPatients } from './known-patients.ts'

/**
 * `Patient/$export` (S-1…S-60; D1, D3): 202 with the status URL, or every problem at once. Without a list, where the profile allows,
 * the patients are all there are.
 */
export function patientKickOffRoute(
  scope: FastifyInstance,
  context: StoreContext,
  limits: Pick<RateLimits, 'charge'>,
): void {
  kickOffPath(scope, '/Patient/$export', 'patient', async (request, reply) => {
    const caller = callerOf(request)
    const parsed = parseKickOff(request, caller, 'patient')
    if ('problems' in parsed) return refuse(reply, parsed.problems, caller, context, parsed.total)
    limits.charge(caller.grant.client, costOf({ patients: parsed.request.patients.length }))
    const existing = await knownPatients(context.pool, caller, parsed.request, parsed.request.patients)
    const unknown = unknownPatients(parsed.request, existing)
    if (unknown.length > 0 && !parsed.request.lenient) return refuse(reply, unknown, caller, context)
    return acceptExport(request, reply, context, withoutUnknownPatients(parsed.request, existing), '/Patient/$export')
  })
}

/** `$export` of the whole system (D5): the records of all patients, and those of nobody. */
export function systemKickOffRoute(scope: FastifyInstance, context: StoreContext): void {
  kickOffPath(scope, '/$export', 'system', async (request, reply) => {
    const caller = callerOf(request)
    const parsed = parseKickOff(request, caller, 'system')
    if ('problems' in parsed) return refuse(reply, parsed.problems, caller, context, parsed.total)
    return acceptExport(request, reply, context, parsed.request, '/$export')
  })
}

/**
 * Accepts a request that has passed all checks: 202 with the status URL, 429, or 503 while the store is too busy or its disk too full.
 * `path` is that of the kick-off under the FHIR base, `group` the Group that was asked for.
 */
export async function acceptExport(
  request: FastifyRequest,
  reply: FastifyReply,
  context: StoreContext,
  effective: ExportRequest,
  path: string,
  group?: string,
): Promise<FastifyReply> {
  const caller = callerOf(request)
  if (await context.files.lacksRoom()) return refuseShort(reply, caller)
  if (effective.allReferred && (await isOutdated(context.pool, caller.tenant))) return refuseOutdated(reply, caller)
  const url = `${caller.base}${path}${searchOf(request)}`
  const job = {
    ...{ id: randomUUID(), tenant: caller.tenant, client: caller.grant.client, request: effective, url },
    traceparent: traceparentOf(request),
  }
  const packed = await packJob(job)
  const cutTaken = (ms: number) => context.meter.observe('millrace_cut_wait_seconds', ms / 1000)
  const accepted = await transaction(context.pool, async (client) => {
    if (!(await acceptJob(client, context.enqueue, packed, cutTaken))) return false
    await appendAudit(client, auditOf(request, acceptance(job.id, effective, group)))
    return true
  }).catch((error) => {
    if (isLockTimeout(error)) return 'busy'
    throw error
  })
  if (accepted === 'busy') return busy(reply, caller)
  if (!accepted) return throttle(reply, caller, context)
  const { reach, patients, types } = effective
  const { tenant, grant } = caller
  request.log.info(
    { job: job.id, tenant, client: grant.client, reach, patients: patients.length, types },
    'export accepted',
  )
  if (effective.separateStatus) reply.header('Preference-Applied', 'respond-async, separate-export-status')
  reply.header('Content-Location', `${caller.base}/bulk-export/jobs/${job.id}`)
  return effective.warnings.length > 0 ? sendOutcome(reply, 202, effective.warnings) : reply.code(202).send()
}

/**
 * The patients are named, so that it can be told for ever whose data an export was asked for; where none are listed, `reach` says whose
 * they are. Filters may quote codes and are not named.
 */
const acceptance = (
  job: string,
  { patients, reach, types, filters, since, until }: ExportRequest,
  group: string | undefined,
) => ({
  kind: 'kick-off' as const,
  outcome: 'success' as const,
  subjects: [`Job/${job}`, ...(group === undefined ? [] : [`Group/${group}`])],
  patients,
  detail: {
    ...(reach === undefined ? {} : { reach }),
    types: types.join(' '),
    filtered: Object.keys(filters).join(' '),
    ...(since === undefined ? {} : { since: formatInstant(since) }),
    ...(until === undefined ? {} : { until: formatInstant(until) }),
  },
})

/** What the manifest names of the query string: all of it for a GET, nothing for a POST (T-173). */
const searchOf = ({ method, url }: FastifyRequest): string =>
  method === 'GET' && url.includes('?') ? url.slice(url.indexOf('?')) : ''

/** Reads a kick-off of a level by GET or POST: the effective request, or all that is wrong with it. */
export function parseKickOff(request: FastifyRequest, { grant, profile, base }: Caller, level: ExportLevel) {
  const { accept, 'content-type': contentType } = request.headers
  const headers = { accept, contentType, prefer: preferOf(request) }
  const input = { level, headers, query: request.query as QueryString, base }
  if (request.method === 'GET') return parseExportQuery({ ...input, hasBody: announcesBody(request) }, grant, profile)
  const body = request.body instanceof Buffer ? request.body : Buffer.alloc(0)
  const text = isUtf8(body) ? body.toString('utf8') : undefined
  return parseExportRequest({ ...input, body: text }, grant, profile)
}

/** Each `Prefer` header by itself. */
const preferOf = ({ raw: { rawHeaders } }: FastifyRequest): string[] =>
  rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]!.toLowerCase() === 'prefer')

/** Whether a request says that it has a body (RFC 9112 §6): nobody reads that of a GET. */
const announcesBody = ({ headers }: FastifyRequest): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

/** Answers with the problems of a kick-off; `total` counts those too that are not among them. */
export function refuse(
  reply: FastifyReply,
  problems: readonly Problem[],
  caller: Caller,
  context: StoreContext,
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

/** Files must not fill the disk that a database may need. */
function refuseShort(reply: FastifyReply, caller: Caller) {
  reply.header('Retry-After', retryShortSeconds)
  const text = 'The server has too little free disk for another export. Its operator must make room. Ask again later.'
  return sendProblems(reply, [problem(503, 'transient', text)], caller.profile)
}

const retryShortSeconds = 60

/** Some records may still belong to whom they belonged by the rules of a former version: an export would have half of them. */
function refuseOutdated(reply: FastifyReply, caller: Caller) {
  reply.header('Retry-After', retryShortSeconds)
  const text = 'Stored records are being put under the rules of this version. Ask again later.'
  return sendProblems(reply, [problem(503, 'transient', text)], caller.profile)
}

/** S-5: the client's place is taken. The answer names the job that holds it, and when to ask again. */
async function throttle(reply: FastifyReply, caller: Caller, context: StoreContext) {
  const live = await findLiveJob(context.pool, caller.tenant, caller.grant.client)
  reply.header('Retry-After', live ? await retryAfterOf(context, live) : 1)
  const diagnostics = live && `Running: ${caller.base}/bulk-export/jobs/${live.id}`
  const text = 'Another export of this client is in progress. Wait for it, or delete it.'
  return sendProblems(reply, [problem(429, 'throttled', text, diagnostics ? { diagnostics } : {})], caller.profile)
}
