import { isTypeName } from '../../fhir/reference.ts'
import type { Grant } from '../../protocol/grant.ts'
import { type Problem, problem } from '../../protocol/problem.ts'

/** The type must be a type, and writable with the token. */
export function checkType(type: string, grant: Grant): Problem | undefined {
  if (!isTypeName(type)) return problem(404, 'not-found', 'The URL names no resource type.')
  if (type === 'AuditEvent') return problem(400, 'not-supported', 'AuditEvents are written by the server only.')
  if (!grant.canWrite(type)) return problem(403, 'forbidden', `The token lacks the scope system/${type}.write.`)
  return undefined
}
