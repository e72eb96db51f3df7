import type { FastifyInstance } from 'fastify'
import type { Issue } from '../../fhir/operation-outcome.ts'
import { isId } from '../../fhir/reference.ts'
import { lacksRead } from '../../protocol/grant.ts'
import { unresolvedIssues } from '../../protocol/plan/unresolved-members.ts'
import type { Problem } from '../../protocol/problem.ts'
import type { ExportRequest } from '../../protocol/request/export-request.ts'
import { patientsOutside, withoutPatientsOutside } from '../../protocol/request/unknown-patients.ts'
import { roomOf } from '../bytes/room.ts'
import { type Caller, callerOf } from '../caller.ts'
import type { StoreContext } from '../context.ts'
import { costOf, type RateLimits } from '../rates.ts'
import { acceptExport, parseKickOff, refuse } from './kick-off.ts'
import { kickOffPath } from './kick-off-methods.ts'
import { knownPatients } from './known-patients.ts'
import { type Membership, membersOf, noSuchGroup } from './read-groups.ts'

/**
 * `Group/{id}/$export` (protocol §1; D4): exports the patients who are members at kick-off, or those of them that a body lists. Whether
 * a scope for the Group is needed depends on the profile (D20c).
 */
export function groupKickOffRoute(
  scope: FastifyInstance,
  context: StoreContext,
  limits: Pick<RateLimits, 'charge'>,
): void {
  kickOffPath(scope, '/Group/:id/$export', 'group', async (request, reply) => {
    const caller = callerOf(request)
    const { id } = request.params as { id: string }
    const parsed = parseKickOff(request, caller, 'group')
    if ('problems' in parsed) return refuse(reply, parsed.problems, caller, context, parsed.total)
    if (caller.profile.groupScopeRequired && caller.grant.readable('Group') === 'none') {
      return refuse(reply, [lacksRead(caller.grant, ['Group'])], caller, context)
    }
    if (!isId(id)) return refuse(reply, [noSuchGroup], caller, context)
    const members = await membersOf(context, caller, id, roomOf(request))
    if ('status' in members) return refuse(reply, [members], caller, context)
    limits.charge(caller.grant.client, costOf({ patients: members.patients.length }))
    const chosen = await chosenMembers(context, caller, parsed.request, members)
    if ('problems' in chosen) return refuse(reply, chosen.problems, caller, context)
    return acceptExport(request, reply, context, chosen, `/Group/${id}/$export`, id)
  })
}

/**
 * What is exported of the members: of those whom the caller may know, all or those whom the request lists, whoever else it lists is refused
 * or, when lenient, left out. Members who cannot be found are warnings with their number; an empty Group exports nothing, never everyone.
 */
async function chosenMembers(
  context: StoreContext,
  caller: Caller,
  request: ExportRequest,
  membership: Membership,
): Promise<ExportRequest | { readonly problems: readonly Problem[] }> {
  const { patients } = membership
  const members = new Set(patients)
  const listed = request.patients
  const known = await knownPatients(context.pool, caller, request, listed.length > 0 ? listed : patients)
  const exportable = new Set([...known].filter((id) => members.has(id)))
  if (listed.length > 0) {
    const problems = patientsOutside(request, exportable)
    return problems.length > 0 && !request.lenient ? { problems } : withoutPatientsOutside(request, exportable)
  }
  const counts = new Map(membership.unresolved(exportable))
  if (!request.tellsAll) counts.delete('other-type')
  const warnings = [...request.warnings, ...unresolvedIssues(counts), ...(exportable.size > 0 ? [] : [nobody])]
  return { ...request, patients: patients.filter((id) => exportable.has(id)), warnings }
}

const nobody: Issue = {
  severity: 'warning',
  code: 'not-found',
  text: 'The Group has no active member who is a patient of this tenant.',
}
