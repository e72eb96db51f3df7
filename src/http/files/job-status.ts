import { STATUS_CODES } from 'node:http'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { bearerChallenge } from '../../access/bearer.ts'
import { appendAudit } from '../../audit/trail.ts'
import { errorReason } from '../../database/error-code.ts'
import { transaction } from '../../database/transaction.ts'
import { clearEnded } from '../../jobs/ended-jobs.ts'
import { deleteJob, findJob, type Job, jobProgress } from '../../jobs/job.ts'
import { jobFiles } from '../../jobs/published-file.ts'
import { isUuid } from '../../jobs/uuid.ts'
import { manifestOf } from '../../protocol/answer/manifest.ts'
import { type Progress, progressText, retryAfterSeconds } from '../../protocol/answer/progress.ts'
import { lacksRead } from '../../protocol/grant.ts'
import { isLive } from '../../protocol/plan/job-state.ts'
import { problem } from '../../protocol/problem.ts'
import { uncovered } from '../../protocol/request/filters.ts'
import { checkAccept } from '../../protocol/request/headers.ts'
import { auditOf } from '../audit/audited-refusal.ts'
import { type Caller, callerOf } from '../caller.ts'
import type { HttpContext } from '../context.ts'
import { described, fhirJsonType, schemaNamed } from '../description.ts'
import { allowOnly } from '../method-not-allowed.ts'
import { sendOutcome, sendProblems } from '../outcome-answer.ts'
import { type RateLimits, sendThrottled } from '../rates.ts'
import { forAWhile } from './removal-wait.ts'

const path = '/bulk-export/jobs/:id'

/**
 * `GET` and `DELETE` of a job (protocol §5, §7). A valid token of the client that kicked off; whether its scopes are checked depends on
 * the profile (D20). `?page=` asks for a further manifest, where there are several (D17).
 */
export function jobRoutes(scope: FastifyInstance, context: HttpContext, limits: RateLimits): void {
  scope.get(path, { schema: status }, async (request, reply) => {
    const caller = callerOf(request)
    const { id } = request.params as { id: string }
    // T-169: counted before the job is looked for, so that the answer says nothing about it.
    const seconds = limits.poll(`${caller.grant.client} ${id}`)
    if (seconds !== undefined) return sendThrottled(reply, seconds, caller.profile)
    const { accept } = request.headers
    const notAcceptable = accept === undefined ? [] : checkAccept(accept, caller.profile)
    if (notAcceptable.length > 0) return sendProblems(reply, notAcceptable, caller.profile)
    const job = await ownJob(reply, context, caller, id)
    if (!('tenant' in job)) return sendProblems(reply, [job], caller.profile)
    if (isLive(job.state)) return sendRunning(reply, context, caller, job)
    if (job.state === 'failed') return sendFailed(reply, job)
    return sendManifest(reply, context, caller, job, (request.query as { page?: unknown }).page)
  })
  scope.delete(path, { config: { audit: 'delete' }, schema: deletion }, async (request, reply) => {
    const caller = callerOf(request)
    const job = await ownJob(reply, context, caller, (request.params as { id: string }).id)
    if (!('tenant' in job)) return sendProblems(reply, [job], caller.profile)
    const subjects = [`Job/${job.id}`]
    const deletion = auditOf(request, { kind: 'delete', outcome: 'success', subjects, detail: { state: job.state } })
    await transaction(context.pool, async (client) => {
      if (await deleteJob(client, job.id)) await appendAudit(client, deletion)
    })
    // The row decides. A worker may still be writing for a moment, and the sweeper removes what is left then: of very many references too.
    const removal = Promise.all([context.files.removeJob(job.id), clearEnded(context.pool, job.id)])
    await forAWhile(removal, (error) => request.log.warn({ job: job.id, reason: errorReason(error) }, 'files left'))
    const { id, tenant, client, state } = job
    request.log.info({ job: id, tenant, client, state }, isLive(state) ? 'export cancelled' : 'export deleted')
    return reply.code(202).send()
  })
  allowOnly(scope, path, ['GET', 'DELETE'])
}

const notOurs = { 404: 'There is no such job, or it was deleted or has expired.' }
const ofTheClient =
  'any, of the client that started the export; in `hl7` with the read scopes of all types of the export'

const status = described({
  tag: 'Export',
  summary: 'Ask how an export is getting on; get its manifest',
  token: ofTheClient,
  query: { page: { type: 'integer', description: 'Which manifest, where there are several. The link `next` has it.' } },
  answers: {
    200: {
      says: 'The export is done. Its files stay until `Expires`. With `separate-export-status`, `X-Export-Status` says whether it is.',
      headers: {
        Expires: 'When the files go.',
        'X-Progress': '`completed`',
        'X-Export-Status': 'With `separate-export-status`: `200 OK`, `202 Accepted` or `500 Internal Server Error`.',
      },
      content: {
        'application/json': {
          schema: schemaNamed('Manifest'),
          example: {
            transactionTime: '2026-11-23T02:01:25.566Z',
            request: 'https://fhir.example.org/r4/clinic/Patient/$export',
            requiresAccessToken: true,
            output: [
              {
                type: 'Condition',
                url: 'https://fhir.example.org/r4/clinic/bulk-export/files/8d9902d3-4d09-422a-bc28-799f04c94e89',
                count: 5,
              },
            ],
            error: [],
          },
        },
      },
    },
    202: {
      says: 'The export is in progress; `diagnostics` says how far it is.',
      headers: { 'Retry-After': 'Seconds until it makes sense to ask again.', 'X-Progress': 'How far it is.' },
      content: { [fhirJsonType]: { schema: schemaNamed('OperationOutcome') } },
    },
  },
  refusals: { ...notOurs, 406: '`Accept` does not allow FHIR JSON.', 500: 'The export failed. Start a new one.' },
})

const deletion = described({
  tag: 'Export',
  summary: 'Cancel an export, or delete its files',
  token: ofTheClient,
  answers: { 202: { says: 'The job and its files are gone, whether it was running or done.' } },
  refusals: notOurs,
})

/** T-164…T-167, O-7: another tenant's job does not exist, another client's is forbidden, a deleted one is gone. */
async function ownJob(reply: FastifyReply, context: HttpContext, { tenant, grant, profile }: Caller, id: string) {
  const job = isUuid(id) ? await findJob(context.pool, id) : undefined
  if (!job || job.tenant !== tenant) return problem(404, 'not-found', 'There is no such export job.')
  if (job.client !== grant.client) return problem(403, 'forbidden', 'The export job belongs to another client.')
  if (job.state === 'deleted') return problem(404, 'deleted', 'The export job was deleted or has expired.')
  const missing = profile.scopesAlways ? uncovered(job.request, grant) : []
  if (missing.length === 0) return job
  reply.header('WWW-Authenticate', bearerChallenge(context.publicUrl, 'insufficient_scope'))
  return lacksRead(grant, missing)
}

async function progressOf(context: Pick<HttpContext, 'pool'>, job: Job): Promise<Progress> {
  const { exported, planned } = await jobProgress(context.pool, job.id)
  return { exported, planned, seconds: (Date.now() - job.created.getTime()) / 1000 }
}

/** Seconds until it makes sense to ask for the job again. */
export async function retryAfterOf(context: Pick<HttpContext, 'pool'>, job: Job): Promise<number> {
  return retryAfterSeconds(await progressOf(context, job))
}

/** D25: where `X-Progress` is the word Oracle documents, the body still says how far the job is. */
async function sendRunning(reply: FastifyReply, context: HttpContext, caller: Caller, job: Job) {
  const progress = await progressOf(context, job)
  const text = progressText(progress)
  reply
    .header('X-Progress', caller.profile.progressAsText ? text : 'in-progress')
    .header('Retry-After', retryAfterSeconds(progress))
  return sendOutcome(reply, statusFor(reply, job, 202), [
    { severity: 'information', code: 'informational', text: 'The export is in progress.', diagnostics: text },
  ])
}

/** T-168 */
function sendFailed(reply: FastifyReply, job: Job) {
  const diagnostics = `${job.failure ?? ''} Start a new export; this job's id is ${job.id}.`.trim()
  const status = statusFor(reply, job, 500)
  return sendOutcome(reply, status, [{ severity: 'fatal', code: 'exception', text: 'The export failed.', diagnostics }])
}

async function sendManifest(reply: FastifyReply, context: HttpContext, caller: Caller, job: Job, page: unknown) {
  const { id, transactionTime, url, request } = job
  const files = await jobFiles(context.pool, id)
  const number = page === undefined ? 1 : pagePattern.test(String(page)) ? Number(page) : Number.NaN
  const about = { id, transactionTime: transactionTime.getTime(), url, request, files }
  const manifest = manifestOf(about, caller.base, caller.profile, number)
  if (manifest === undefined) {
    return sendProblems(reply, [problem(404, 'not-found', 'The export has no such manifest.')], caller.profile)
  }
  return reply
    .code(statusFor(reply, job, 200))
    .header('X-Progress', 'completed')
    .header('Expires', job.expires!.toUTCString())
    .type('application/json')
    .send(JSON.stringify(manifest))
}

const pagePattern = /^[1-9]\d{0,8}$/

/** D17: the status of the export is that of the answer, or stands beside it when the client wanted it separate. */
function statusFor(reply: FastifyReply, job: Job, status: 200 | 202 | 500): number {
  if (!job.request.separateStatus) return status
  reply.header('X-Export-Status', `${status} ${STATUS_CODES[status]}`)
  return 200
}
