import type { FastifyInstance } from 'fastify'
import type { Issue } from '../../fhir/operation-outcome.ts'
import { isId } from '../../fhir/reference.ts'
import { lacksRead } from '../../protocol/grant.ts'
import { patientsMax } from '../../protocol/limits.ts'
import { groupMembers } from '../../protocol/plan/group-members.ts'
import { type Problem, problem } from '../../protocol/problem.ts'
import type { ExportRequest } from '../../protocol/request/export-request.ts'
import {
  patientsOutside,
  withoutPatientsOutside,
  withoutUnknownPatients,
} from '../../protocol/request/unknown-patients.ts'
import { readCurrent, type StoredVersion } from '../../records/read.ts'
import { type Caller, callerOf } from '../caller.ts'
import type { HttpContext } from '../context.ts'
import { readableCurrent } from '../records/readable-record.ts'
import { acceptExport, parseKickOff, refuse } from './kick-off.ts'
import { kickOffPath } from './kick-off-methods.ts'
import { knownPatients } from './known-patients.ts'

/** The most Groups that are read for one export, the nested ones included. */
const groupsMax = 1_000

/**
 * `Group/{id}/$export` (protocol §1; D4): exports the patients who are members at kick-off, or those of them that a body lists. Whether
 * a scope for the Group is needed depends on the profile (D20c).
 */
export function groupKickOffRoute(scope: FastifyInstance, context: HttpContext): void {
  kickOffPath(scope, '/Group/:id/$export', 'group', async (request, reply) => {
    const caller = callerOf(request)
    const { id } = request.params as { id: string }
    const parsed = parseKickOff(request, caller, 'group')
    if ('problems' in parsed) return refuse(reply, parsed.problems, caller, context, parsed.total)
    if (caller.profile.groupScopeRequired && caller.grant.readable('Group') === 'none') {
      return refuse(reply, [lacksRead(caller.grant, ['Group'])], caller, context)
    }
    if (!isId(id)) return refuse(reply, [noSuchGroup], caller, context)
    const members = await membersOf(context, caller, id)
    if ('status' in members) return refuse(reply, [members], caller, context)
    const chosen = chosenMembers(parsed.request, new Set(members.patients))
    if ('problems' in chosen) return refuse(reply, chosen.problems, caller, context)
    const effective = await forMembers(context, caller, chosen)
    return acceptExport(request, reply, context, effective, `/Group/${id}/$export`, id)
  })
}

/** The export of the members, or of those that the request lists: whoever else it lists is refused or, when lenient, left out. */
function chosenMembers(
  request: ExportRequest,
  members: ReadonlySet<string>,
): ExportRequest | { readonly problems: readonly Problem[] } {
  if (request.patients.length === 0) return { ...request, patients: [...members] }
  const problems = patientsOutside(request, members)
  return problems.length > 0 && !request.lenient ? { problems } : withoutPatientsOutside(request, members)
}

const noSuchGroup = problem(404, 'not-found', 'There is no such Group.')

/** The patients of a Group and of the Groups in it; each Group is read once, so that circles end. */
async function membersOf(
  context: HttpContext,
  caller: Caller,
  id: string,
): Promise<{ readonly patients: readonly string[] } | Problem> {
  const patients = new Set<string>()
  const seen = new Set([id])
  for (const groupId of seen) {
    const stored = await groupFor(context, caller, groupId)
    if (!stored?.body) {
      if (groupId === id) return noSuchGroup
      continue
    }
    const members = groupMembers(JSON.parse(stored.body), [caller.base])
    for (const patient of members.patients) patients.add(patient)
    for (const nested of members.groups) seen.add(nested)
    if (seen.size > groupsMax) return problem(400, 'too-long', `The Group has more than ${groupsMax} Groups in it.`)
  }
  if (patients.size <= patientsMax) return { patients: [...patients] }
  return problem(400, 'too-long', `The Group has more than ${patientsMax} patients.`, {
    diagnostics: `Found ${patients.size}. Split it into several Groups.`,
  })
}

/** A Group, if there is one; where a scope is needed, only one that the scopes let read. */
const groupFor = (context: HttpContext, caller: Caller, id: string): Promise<StoredVersion | undefined> =>
  caller.profile.groupScopeRequired
    ? readableCurrent(context, caller, { type: 'Group', id })
    : readCurrent(context.pool, caller.tenant, 'Group', id)

/** Members that are not in the store are left out with a warning each; an empty Group exports nothing, never everyone. */
async function forMembers(context: HttpContext, caller: Caller, request: ExportRequest): Promise<ExportRequest> {
  const existing = await knownPatients(context.pool, caller, request, request.patients)
  const known = withoutUnknownPatients(request, existing)
  if (existing.size > 0) return known
  const text = 'The Group has no active member who is a patient of this tenant.'
  const nobody: Issue = { severity: 'warning', code: 'not-found', text }
  return { ...known, warnings: [...known.warnings, nobody] }
}
