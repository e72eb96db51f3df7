import type { FastifyInstance, FastifyReply } from 'fastify'
import { appendAudit } from '../access/audit-trail.ts'
import { transaction } from '../database/transaction.ts'
import { checkAccept } from '../export/headers.ts'
import { isLive } from '../export/job-state.ts'
import { manifestOf } from '../export/manifest.ts'
import { problem } from '../export/problem.ts'
import { type Progress, progressText, retryAfterSeconds } from '../export/progress.ts'
import { deleteJob, findJob, type Job, jobProgress } from '../jobs/job.ts'
import { jobParts } from '../jobs/part.ts'
import { sendOutcome, sendProblems } from './answer.ts'
import { auditOf } from './audited.ts'
import { type Caller, callerOf } from './caller.ts'
import type { HttpContext } from './context.ts'
import { described, fhirJsonType, schemaNamed } from './description.ts'
import { allowOnly } from './method-not-allowed.ts'
import { type RateLimits, sendThrottled } from './rates.ts'
import { isUuid } from './uuid.ts'

const path = '/bulk-export/jobs/:id'

/** `GET` and `DELETE` of a job (protocol §5, §7). Any valid token of the client that kicked off; scopes are not checked (D20). */
export function jobRoutes(scope: FastifyInstance, context: HttpContext, limits: RateLimits): void {
  scope.get(path, { schema: status }, async (request, reply) => {
    const caller = callerOf(request)
    const { id } = request.params as { id: string }
    // T-169: counted before the job is looked for, so that the answer says nothing about it.
    const seconds = await limits.poll(request, `${caller.grant.client} ${id}`)
    if (seconds !== undefined) return sendThrottled(reply, seconds, caller.profile)
    const { accept } = request.headers
    const notAcceptable = accept === undefined ? [] : checkAccept(accept, caller.profile)
    if (notAcceptable.length > 0) return sendProblems(reply, notAcceptable, caller.profile)
    const job = await ownJob(context, caller, id)
    if (!('tenant' in job)) return sendProblems(reply, [job], caller.profile)
    if (isLive(job.state)) return sendRunning(reply, context, caller, job)
    if (job.state === 'failed') return sendFailed(reply, job)
    return sendManifest(reply, context, caller, job)
  })
  scope.delete(path, { config: { audit: 'delete' }, schema: deletion }, async (request, reply) => {
    const caller = callerOf(request)
    const job = await ownJob(context, caller, (request.params as { id: string }).id)
    if (!('tenant' in job)) return sendProblems(reply, [job], caller.profile)
    const subjects = [`Job/${job.id}`]
    const deletion = auditOf(request, { kind: 'delete', outcome: 'success', subjects, detail: { state: job.state } })
    await transaction(context.pool, async (client) => {
      if (await deleteJob(client, job.id)) await appendAudit(client, deletion)
    })
    // The row decides. A worker may still be writing for a moment, and the sweeper removes what is left then.
    await context.files
      .removeJob(job.id)
      .catch((error) => request.log.warn({ job: job.id, reason: error.code }, 'files left'))
    request.log.info({ job: job.id, state: job.state }, 'export deleted')
    return reply.code(202).send()
  })
  allowOnly(scope, path, ['GET', 'DELETE'])
}

const notOurs = { 404: 'There is no such job, or it was deleted or has expired.' }
const ofTheClient = 'any, of the client that started the export'

const status = described({
  tag: 'Export',
  summary: 'Ask how an export is getting on; get its manifest',
  token: ofTheClient,
  answers: {
    200: {
      says: 'The export is done. Its files stay until `Expires`.',
      headers: { Expires: 'When the files go.', 'X-Progress': '`completed`' },
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

/** T-164, T-166, T-167, O-7: another tenant's job does not exist, another client's is forbidden, a deleted one is gone. */
async function ownJob(context: HttpContext, { tenant, grant }: Caller, id: string) {
  const job = isUuid(id) ? await findJob(context.pool, id) : undefined
  if (!job || job.tenant !== tenant) return problem(404, 'not-found', 'There is no such export job.')
  if (job.client !== grant.client) return problem(403, 'forbidden', 'The export job belongs to another client.')
  if (job.state === 'deleted') return problem(404, 'deleted', 'The export job was deleted or has expired.')
  return job
}

async function progressOf(context: HttpContext, job: Job): Promise<Progress> {
  const { exported, planned } = await jobProgress(context.pool, job.id)
  return { exported, planned, seconds: (Date.now() - job.created.getTime()) / 1000 }
}

/** Seconds until it makes sense to ask for the job again. */
export async function retryAfterOf(context: HttpContext, job: Job): Promise<number> {
  return retryAfterSeconds(await progressOf(context, job))
}

/** D25: where `X-Progress` is the word Oracle documents, the body still says how far the job is. */
async function sendRunning(reply: FastifyReply, context: HttpContext, caller: Caller, job: Job) {
  const progress = await progressOf(context, job)
  const text = progressText(progress)
  reply
    .header('X-Progress', caller.profile.progressAsText ? text : 'in-progress')
    .header('Retry-After', retryAfterSeconds(progress))
  return sendOutcome(reply, 202, [
    { severity: 'information', code: 'informational', text: 'The export is in progress.', diagnostics: text },
  ])
}

/** T-168 */
function sendFailed(reply: FastifyReply, job: Job) {
  const diagnostics = `${job.failure ?? ''} Start a new export; this job's id is ${job.id}.`.trim()
  return sendOutcome(reply, 500, [{ severity: 'fatal', code: 'exception', text: 'The export failed.', diagnostics }])
}

async function sendManifest(reply: FastifyReply, context: HttpContext, caller: Caller, job: Job) {
  const parts = await jobParts(context.pool, job.id)
  const about = { transactionTime: job.transactionTime.getTime(), request: job.url, parts }
  const manifest = manifestOf(about, caller.base, caller.profile)
  return reply
    .header('X-Progress', 'completed')
    .header('Expires', job.expires!.toUTCString())
    .type('application/json')
    .send(JSON.stringify(manifest))
}
