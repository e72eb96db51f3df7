import type { FastifyInstance } from 'fastify'
import { exportParameters } from '../export/export-parameter.ts'
import { groupMembers } from '../export/group-members.ts'
import { patientsMax } from '../export/limits.ts'
import { type Problem, problem } from '../export/problem.ts'
import { type ExportRequest, parseGroupExportRequest, type QueryString } from '../export/request.ts'
import { withoutUnknownPatients } from '../export/unknown-patients.ts'
import type { Issue } from '../fhir/operation-outcome.ts'
import { isId } from '../fhir/reference.ts'
import { readCurrent } from '../records/read.ts'
import { type Caller, callerOf } from './caller.ts'
import type { HttpContext } from './context.ts'
import { described } from './description.ts'
import { acceptExport, exportHeaders, kickOffDescription, refuse } from './kick-off.ts'
import { knownPatients } from './known-patients.ts'
import { allowOnly } from './method-not-allowed.ts'

const path = '/Group/:id/$export'

/** The most Groups that are read for one export, the nested ones included. */
const groupsMax = 1_000

/** `GET Group/{id}/$export` (protocol §1): exports the patients who are members at kick-off. No Group scope is needed. */
export function groupKickOffRoute(scope: FastifyInstance, context: HttpContext): void {
  scope.get(path, { config: { audit: 'kick-off' }, schema: groupExport }, async (request, reply) => {
    const caller = callerOf(request)
    const { id } = request.params as { id: string }
    const query = request.query as QueryString
    const input = { headers: exportHeaders(request), query, base: caller.base }
    const parsed = parseGroupExportRequest(input, caller.grant, caller.profile)
    if ('problems' in parsed) return refuse(reply, parsed.problems, caller, context, parsed.total)
    if (!isId(id)) return refuse(reply, [noSuchGroup], caller, context)
    const members = await membersOf(context, caller, id)
    if ('status' in members) return refuse(reply, [members], caller, context)
    const effective = await forMembers(context, caller, parsed.request, members.patients)
    const search = request.url.includes('?') ? request.url.slice(request.url.indexOf('?')) : ''
    return acceptExport(request, reply, context, effective, `${caller.base}/Group/${id}/$export${search}`)
  })
  allowOnly(scope, path, ['GET'])
}

const groupExport = described({
  ...kickOffDescription,
  summary: 'Start an export of the members of a Group',
  details: 'Exports the patients who are active members of the Group, and of the Groups in it, at this moment.',
  token: 'system read scopes of the types that are exported; none of Group',
  query: Object.fromEntries(
    exportParameters
      .filter(({ name }) => name !== 'patient')
      .map(({ name, documentation }) => [name, { type: 'string', description: documentation }]),
  ),
  refusals: { ...kickOffDescription.refusals, 404: 'There is no such Group.' },
})

const noSuchGroup = problem(404, 'not-found', 'There is no such Group.')

/** The patients of a Group and of the Groups in it; each Group is read once, so that circles end. */
async function membersOf(
  context: HttpContext,
  { tenant, base }: Caller,
  id: string,
): Promise<{ readonly patients: readonly string[] } | Problem> {
  const patients = new Set<string>()
  const seen = new Set([id])
  for (const groupId of seen) {
    const stored = await readCurrent(context.pool, tenant, 'Group', groupId)
    if (!stored?.body) {
      if (groupId === id) return noSuchGroup
      continue
    }
    const members = groupMembers(JSON.parse(stored.body), [base])
    for (const patient of members.patients) patients.add(patient)
    for (const nested of members.groups) seen.add(nested)
    if (seen.size > groupsMax) return problem(400, 'too-long', `The Group has more than ${groupsMax} Groups in it.`)
  }
  if (patients.size <= patientsMax) return { patients: [...patients] }
  return problem(400, 'too-long', `The Group has more than ${patientsMax} patients.`, {
    diagnostics: `Found ${patients.size}. Split it into several Groups.`,
  })
}

/** Members that are not in the store are left out with a warning each; an empty Group exports nothing, never everyone. */
async function forMembers(
  context: HttpContext,
  caller: Caller,
  request: ExportRequest,
  patients: readonly string[],
): Promise<ExportRequest> {
  const existing = await knownPatients(context.pool, caller, request, patients)
  const known = withoutUnknownPatients({ ...request, patients }, existing)
  if (existing.size > 0) return known
  const text = 'The Group has no active member who is a patient of this tenant.'
  const nobody: Issue = { severity: 'warning', code: 'not-found', text }
  return { ...known, warnings: [...known.warnings, nobody] }
}
