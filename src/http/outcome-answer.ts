import type { FastifyReply } from 'fastify'
import { type Issue, type IssueCode, operationOutcome } from '../fhir/operation-outcome.ts'
import { issuesMax } from '../protocol/limits.ts'
import type { Problem } from '../protocol/problem.ts'
import type { Profile } from '../protocol/profile.ts'

export const fhirJson = 'application/fhir+json; charset=utf-8'

/** Oracle's tables use the parent code for whatever is wrong with a request (D30, protocol §8). */
const coarseStatuses: ReadonlySet<number> = new Set([400, 406, 412, 413, 415, 422])

function issueCode(problem: Problem, profile: Profile): IssueCode {
  if (profile.fineCodes || problem.code === 'not-found') return problem.code
  if (problem.status === 404) return 'not-found'
  if (problem.status === 401) return problem.code === 'expired' ? 'expired' : 'login'
  if (problem.status === 503) return 'exception'
  return coarseStatuses.has(problem.status) ? 'invalid' : problem.code
}

/** Answers with an OperationOutcome of all problems; the first decides the status. `total` counts those too that are not given. */
export function sendProblems(
  reply: FastifyReply,
  problems: readonly Problem[],
  profile: Profile,
  total = problems.length,
): FastifyReply {
  const issues = problems.map((problem) => ({ ...problem, code: issueCode(problem, profile) }))
  return sendOutcome(reply, problems[0]!.status, issues, total)
}

/** Answers with an OperationOutcome; at most `issuesMax` issues are listed, the rest counted. */
export function sendOutcome(
  reply: FastifyReply,
  status: number,
  issues: readonly Issue[],
  total = issues.length,
): FastifyReply {
  const listed = issues.slice(0, issuesMax)
  if (total > issuesMax) {
    const { severity, code } = issues[0]!
    listed.push({ severity, code, text: `${total - issuesMax} more issues are not listed.` })
  }
  return reply
    .code(status)
    .type(fhirJson)
    .send(JSON.stringify(operationOutcome(listed)))
}
