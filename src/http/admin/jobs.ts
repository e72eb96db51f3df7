import type { FastifyInstance } from 'fastify'
import { parseInstant } from '../../fhir/instant.ts'
import { type JobPlace, type ListedJob, listJobs } from '../../jobs/job-list.ts'
import { type JobState, jobStates } from '../../protocol/plan/job-state.ts'
import type { HttpContext } from '../context.ts'
import { isUuid } from '../uuid.ts'
import { AdminRefusal, countOf, pageOf, readQuery, sendJson } from './admin-answer.ts'

/** The exports of all tenants, or of one, newest first. */
export function adminJobRoutes(scope: FastifyInstance, context: HttpContext): void {
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
    return sendJson(reply, 200, { jobs: items.map(describe), next })
  })
}

const describe = ({ id, transactionTime, ...job }: ListedJob) => ({
  job: id,
  ...job,
  transaction_time: transactionTime,
})

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
