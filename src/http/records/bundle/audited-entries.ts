import type { FastifyRequest } from 'fastify'
import { keyOf } from '../../../records/current.ts'
import { auditOf, namingCodes } from '../../audit/audited-refusal.ts'
import type { StoreContext } from '../../context.ts'
import type { AnswerEntry } from './bundle-answer.ts'
import type { Planned } from './plan.ts'

/**
 * Records what the entries of a Bundle were given to read, and which records conditional creates were told of, before the answer; and
 * how many entries were refused, and why.
 */
export async function auditEntries(
  request: FastifyRequest,
  context: StoreContext,
  planned: readonly Planned[],
  answers: readonly AnswerEntry[],
): Promise<void> {
  const refusals = answers.flatMap(({ response }) => response.outcome ?? [])
  if (refusals.length > 0) {
    const reason = namingCodes(refusals.flatMap(({ issue }) => issue.map(({ code }) => code)))
    const detail = { method: request.method, route: request.routeOptions.url ?? '', entries: refusals.length }
    context.audit.note(auditOf(request, { kind: 'write', outcome: 'refused', detail, ...reason }))
  }
  const subjects = planned.flatMap((entry, at) => {
    if (entry.kind === 'found' && entry.record !== undefined) return [entry.key]
    return entry.kind === 'read' && answers[at]!.resource !== undefined ? [keyOf(entry)] : []
  })
  if (subjects.length > 0) await context.audit.record(auditOf(request, { kind: 'read', outcome: 'success', subjects }))
}
