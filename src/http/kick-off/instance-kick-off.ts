import type { FastifyInstance } from 'fastify'
import { isId } from '../../fhir/reference.ts'
import { problem } from '../../protocol/problem.ts'
import { callerOf } from '../caller.ts'
import type { StoreContext } from '../context.ts'
import { costOf, type RateLimits } from '../rates.ts'
import { acceptExport, parseKickOff, refuse } from './kick-off.ts'
import { kickOffPath } from './kick-off-methods.ts'
import { knownPatients } from './known-patients.ts'

/** `Patient/{id}/$export` (D36): the export of a list of this patient alone, but 404 for one who is not known. */
export function instanceKickOffRoute(
  scope: FastifyInstance,
  context: StoreContext,
  limits: Pick<RateLimits, 'charge'>,
): void {
  kickOffPath(scope, '/Patient/:id/$export', 'instance', async (request, reply) => {
    const caller = callerOf(request)
    const { id } = request.params as { id: string }
    const parsed = parseKickOff(request, caller, 'instance')
    if ('problems' in parsed) return refuse(reply, parsed.problems, caller, context, parsed.total)
    limits.charge(caller.grant.client, costOf({ patients: 1 }))
    const known = isId(id) ? await knownPatients(context.pool, caller, parsed.request, [id]) : undefined
    if (!known?.has(id)) return refuse(reply, [noSuchPatient], caller, context)
    return acceptExport(request, reply, context, { ...parsed.request, patients: [id] }, `/Patient/${id}/$export`)
  })
}

const noSuchPatient = problem(404, 'not-found', 'There is no such patient.')
