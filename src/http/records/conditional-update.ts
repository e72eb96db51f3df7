import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ClientBase } from 'pg'
import type { IdentifierQuery } from '../../fhir/bundle/identifier-query.ts'
import type { Problem } from '../../protocol/problem.ts'
import { readCurrentRows } from '../../records/current.ts'
import type { Draft } from '../../records/draft.ts'
import { recordsByIdentifier } from '../../records/identifiers.ts'
import { callerOf } from '../caller.ts'
import type { StoreContext } from '../context.ts'
import { described } from '../description.ts'
import { writeAdmitted } from './admitted-write.ts'
import { queryOf, readCondition, type UpdateTarget, updateTarget } from './request-condition.ts'
import { bodyText, ifMatchVersion } from './resource-body.ts'
import { readDraft } from './resource-draft.ts'
import { badIfMatch } from './resource-write.ts'
import { refuseWrite, sendPut } from './write-answer.ts'
import {
  badBody,
  changedAnswer,
  conditionQuery,
  conditionToken,
  contendedRefusal,
  createdAnswer,
  ifMatchHeader,
  resourceBody,
  unclearCondition,
  writing,
} from './write-description.ts'

const update = described({
  ...writing,
  token: conditionToken,
  summary: 'Create or change the record with this identifier',
  headers: ifMatchHeader,
  query: conditionQuery,
  body: resourceBody,
  answers: { 200: changedAnswer, 201: createdAnswer },
  refusals: {
    ...badBody,
    409: `No record has the identifier, and another one has the id of the body. Or: ${contendedRefusal}`,
    412: unclearCondition,
  },
})

/** FHIR conditional update (R4 http.html#cond-update). */
export function conditionalUpdateRoute(scope: FastifyInstance, context: StoreContext): void {
  scope.put('/:type', { config: { audit: 'write' }, schema: update }, async (request, reply) => {
    const { grant, tenant } = callerOf(request)
    const ifMatch = ifMatchVersion(request.headers['if-match'])
    if (ifMatch === 'invalid') return refuseWrite(request, reply, context, badIfMatch)
    const drafts = readDrafts(request)
    if ('status' in drafts) return refuseWrite(request, reply, context, drafts)
    const query = readCondition(drafts.asNew.type, queryOf(request), grant)
    if ('status' in query) return refuseWrite(request, reply, context, query)

    let target: UpdateTarget | Problem | undefined
    let draft = drafts.asNew
    const decide = async (client: ClientBase) => {
      target = await lookUp(client, tenant, query, drafts.statedId)
      if ('status' in target) return []
      draft = target.kind === 'new' ? drafts.asNew : drafts.withId(target.record.id)
      const seen = target.kind === 'new' ? 0 : target.record.version
      // A version is asked for: what does not exist has none.
      const change = { kind: 'put' as const, draft, seen, ...(ifMatch === undefined ? {} : { ifMatch }) }
      return [change]
    }
    const changes = { alone: [query], decide }
    const [outcome] = await writeAdmitted(request, context, changes)
    if (target && 'status' in target) return refuseWrite(request, reply, context, target)
    return sendPut(request, reply, context, draft, outcome!)
  })
}

async function lookUp(
  client: ClientBase,
  tenant: string,
  query: IdentifierQuery,
  statedId: string | undefined,
): Promise<UpdateTarget | Problem> {
  const [found = []] = await recordsByIdentifier(client, tenant, [query], 2)
  if (statedId === undefined || found.length > 0) return updateTarget(query, found, statedId, false)
  const current = await readCurrentRows(client, tenant, [{ type: query.type, id: statedId }])
  return updateTarget(
    query,
    found,
    statedId,
    [...current.values()].some(({ deleted }) => !deleted),
  )
}

/** The resource of the body under the ids that it may get. */
interface Drafts {
  /** With the id in it, or one that the server gives. */
  readonly asNew: Draft
  readonly statedId: string | undefined
  readonly withId: (id: string) => Draft
}

function readDrafts(request: FastifyRequest): Drafts | Problem {
  const given = readDraft(request, randomUUID(), bodyText)
  if ('status' in given) return given
  const isNamed = given.statedId !== undefined
  const asNew = isNamed ? readDraft(request, undefined, bodyText) : given
  if ('status' in asNew) return asNew
  const withId = (id: string): Draft => {
    const draft = id === asNew.id ? asNew : readDraft(request, id, bodyText)
    if ('status' in draft) throw new Error('A body that could be read once cannot be read again.')
    return draft
  }
  return { asNew, statedId: isNamed ? asNew.id : undefined, withId }
}
