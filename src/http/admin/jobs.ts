import type { FastifyInstance, FastifyRequest } from 'fastify'
import { cancelJob, describeJob, removeJob } from '../../administration/jobs.ts'
import { errorReason } from '../../database/error-code.ts'
import { Failure } from '../../failure.ts'
import { parseInstant } from '../../fhir/instant.ts'
import { findJob } from '../../jobs/job.ts'
import { type JobPlace, type JobSummary, jobStateCounts, type ListedJob, listJobs } from '../../jobs/job-summary.ts'
import { isUuid } from '../../jobs/uuid.ts'
import { type JobState, jobStates } from '../../protocol/plan/job-state.ts'
import type { HttpContext } from '../context.ts'
import { forAWhile } from '../files/removal-wait.ts'
import { administratorOf } from './acting-administrator.ts'
import { AdminRefusal, countOf, pageOf, readQuery, refusalOf, sendJson } from './admin-answer.ts'

/** The exports of all tenants, or of one: list, newest first; show, cancel, delete. */
export function adminJobRoutes(scope: FastifyInstance, context: HttpContext): void {
  const idOf = (request: FastifyRequest) => requireJob(context, (request.params as { job: string }).job)

  scope.get('/jobs', async (request, reply) => {
    const query = readQuery(request, ['tenant', 'state', 'count', 'page'])
    const count = countOf(query)
    const wanted = {
      count: count + 1,
      ...(query.tenant === undefined ? {} : { tenant: query.tenant }),
      ...(query.state === undefined ? {} : { state: stateOf(query.state) }),
      ...(query.page === undefined ? {} : { after: placeOf(query.page) }),
    }
    const { items, next } = pageOf(await listJobs(context.pool, wanted), count, placeText)
    const counts = await jobStateCounts(context.pool, query.tenant)
    const states = Object.fromEntries(jobStates.map((state) => [state, counts.get(state) ?? 0]))
    return sendJson(reply, 200, { jobs: items.map(describe), states, next })
  })
  scope.get('/jobs/:job', async (request, reply) =>
    sendJson(reply, 200, describeWhole(await describeJob(context.pool, await idOf(request)))),
  )
  scope.post('/jobs/:job/cancel', async (request, reply) => {
    const id = await idOf(request)
    request.log.warn(await cancelJob(context.pool, administratorOf(request), id).catch(conflict), 'export failed')
    return sendJson(reply, 200, describeWhole(await describeJob(context.pool, id)))
  })
  scope.delete('/jobs/:job', async (request, reply) => {
    const id = await idOf(request)
    await removeJob(context.pool, administratorOf(request), id).catch(conflict)
    // The sweeper removes what is left.
    await forAWhile(context.files.removeJob(id), (error) =>
      request.log.warn({ job: id, reason: errorReason(error) }, 'files left'),
    )
    return sendJson(reply, 200, { job: id, deleted: true })
  })
}

const describe = ({ id, transactionTime, ...job }: ListedJob) => ({
  job: id,
  ...job,
  transaction_time: transactionTime,
})

/** With what it does and has: records that were gone through and expected, partitions, files. */
function describeWhole({ request, started, ...job }: JobSummary): object {
  const { scanned, planned, partitions, partitionsDone, furtherAttempts, files, records, bytes, ...listed } = job
  return {
    ...describe(listed),
    started,
    request,
    progress: { scanned, planned },
    partitions: { all: partitions, done: partitionsDone, further_attempts: furtherAttempts },
    stored: { files, records, bytes },
  }
}

async function requireJob({ pool }: HttpContext, id: string): Promise<string> {
  if (isUuid(id) && (await findJob(pool, id))) return id
  throw new AdminRefusal(404, 'There is no such export job.', 'GET /admin/jobs lists them.')
}

function conflict(error: unknown): never {
  throw error instanceof Failure
    ? refusalOf(new Failure(error.message, 'GET /admin/jobs/{id} tells more.'), 409)
    : error
}

function stateOf(text: string): JobState {
  const state = jobStates.find((known) => known === text)
  if (state) return state
  throw new AdminRefusal(400, 'There is no such state.', `Allowed: ${jobStates.join(', ')}.`)
}

const placeText = ({ created, id }: JobPlace): string => `${created.toISOString()}_${id}`

function placeOf(text: string): JobPlace {
  const [created = '', id = ''] = text.split('_')
  const ms = parseInstant(created)
  if (ms !== undefined && isUuid(id)) return { created: new Date(ms), id }
  throw new AdminRefusal(400, 'page is not one that this server has given.', 'Use the "next" of the page before.')
}
