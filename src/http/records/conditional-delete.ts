import type { FastifyInstance } from 'fastify'
import type { ClientBase } from 'pg'
import { type Identified, recordsByIdentifier } from '../../records/identifiers.ts'
import { callerOf } from '../caller.ts'
import type { StoreContext } from '../context.ts'
import { described } from '../description.ts'
import { writeAdmitted } from './admitted-write.ts'
import { queryOf, readCondition, severalMatches } from './request-condition.ts'
import { ifMatchVersion } from './resource-body.ts'
import { badIfMatch } from './resource-write.ts'
import { versionConflict } from './version-conflict.ts'
import { checkType } from './writable-type.ts'
import { refuseWrite } from './write-answer.ts'
import {
  conditionQuery,
  conditionToken,
  contendedRefusal,
  deletedAnswer,
  ifMatchHeader,
  unclearCondition,
  writing,
} from './write-description.ts'

const deletion = described({
  ...writing,
  token: conditionToken,
  summary: 'Delete the record with this identifier',
  headers: ifMatchHeader,
  query: conditionQuery,
  answers: { 204: deletedAnswer },
  refusals: {
    400: 'The query is not one identifier, or `If-Match` names no version.',
    404: 'The URL names no resource type.',
    409: contendedRefusal,
    412: unclearCondition,
  },
})

/** FHIR conditional delete, of one record at most (R4 http.html, conditional delete: `single`). */
export function conditionalDeleteRoute(scope: FastifyInstance, context: StoreContext): void {
  scope.delete('/:type', { config: { audit: 'write' }, schema: deletion }, async (request, reply) => {
    const { grant, tenant } = callerOf(request)
    const { type } = request.params as { type: string }
    const ifMatch = ifMatchVersion(request.headers['if-match'])
    const refused = checkType(type, grant) ?? (ifMatch === 'invalid' ? badIfMatch : undefined)
    if (refused) return refuseWrite(request, reply, context, refused)
    const query = readCondition(type, queryOf(request), grant)
    if ('status' in query) return refuseWrite(request, reply, context, query)

    let found: readonly Identified[] = []
    const condition = typeof ifMatch === 'number' ? { ifMatch } : {}
    const decide = async (client: ClientBase) => {
      ;[found = []] = await recordsByIdentifier(client, tenant, [query], 2)
      if (found.length !== 1) return []
      return found.map(({ id, version }) => ({
        kind: 'delete' as const,
        key: { type, id },
        seen: version,
        ...condition,
      }))
    }
    const [outcome] = await writeAdmitted(request, context, { alone: [], decide })
    if (found.length > 1) return refuseWrite(request, reply, context, severalMatches(query))
    if (outcome?.kind === 'conflict') return refuseWrite(request, reply, context, versionConflict(outcome))
    return reply.code(204).send()
  })
}
