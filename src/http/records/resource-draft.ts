import type { FastifyRequest } from 'fastify'
import { type Problem, problem } from '../../protocol/problem.ts'
import { type Draft, draftOfSent } from '../../records/draft.ts'
import { callerOf } from '../caller.ts'
import { faultProblem, takeBodyText } from './resource-body.ts'
import { checkType } from './writable-type.ts'

/**
 * The resource in the body of a request to `/{type}` or `/{type}/{id}`.
 * @param id that it gets; undefined for the one in the body, which it then must have
 * @param textOf reads the body, and leaves it there for whoever reads it again
 */
export function readDraft(request: FastifyRequest, id: string | undefined, textOf = takeBodyText): Draft | Problem {
  const { grant, base } = callerOf(request)
  const { type } = request.params as { type: string }
  const refused = checkType(type, grant)
  if (refused) return refused
  const text = textOf(request)
  if (typeof text !== 'string') return text
  const draft = draftOfSent(text, [base], id)
  if ('fault' in draft) return faultProblem(draft)
  if (draft.type === type) return draft
  return problem(400, 'value', 'resourceType must be the one in the URL.', { expression: 'resourceType' })
}
