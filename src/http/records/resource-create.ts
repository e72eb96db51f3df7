import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ClientBase } from 'pg'
import type { IdentifierQuery } from '../../fhir/bundle/identifier-query.ts'
import type { Draft } from '../../records/draft.ts'
import { type Identified, recordsByIdentifier } from '../../records/identifiers.ts'
import { readVersion } from '../../records/read.ts'
import { auditOf } from '../audit/audited-refusal.ts'
import { roomOf } from '../bytes/room.ts'
import { callerOf } from '../caller.ts'
import type { StoreContext } from '../context.ts'
import { described } from '../description.ts'
import { allowOnly } from '../method-not-allowed.ts'
import { writeAdmitted } from './admitted-write.ts'
import { readCondition, severalMatches } from './request-condition.ts'
import { readDraft } from './resource-draft.ts'
import { refuseWrite, sendFound, sendPut } from './write-answer.ts'
import {
  badBody,
  conditionToken,
  contendedRefusal,
  createdAnswer,
  foundAnswer,
  resourceBody,
  writing,
} from './write-description.ts'

const create = described({
  ...writing,
  token: conditionToken,
  summary: 'Create a record; the server gives the id',
  details: 'With `If-None-Exist: identifier=system|value` only if no record of the type has this identifier.',
  headers: { 'If-None-Exist': { type: 'string', examples: ['identifier=http://hl7.org/fhir/sid/us-npi|1234567893'] } },
  body: resourceBody,
  answers: { 200: foundAnswer, 201: createdAnswer },
  refusals: { ...badBody, 409: contendedRefusal, 412: 'Several records have the identifier of `If-None-Exist`.' },
})

/** FHIR create, also conditional (R4 http.html#ccreate). It needs `system/{type}.write` or its v2 form. */
export function resourceCreateRoute(scope: FastifyInstance, context: StoreContext): void {
  scope.post('/:type', { config: { audit: 'write' }, schema: create }, async (request, reply) => {
    const draft = readDraft(request, randomUUID())
    if ('status' in draft) return refuseWrite(request, reply, context, draft)
    const condition = request.headers['if-none-exist']
    if (condition !== undefined) {
      const query = readCondition(draft.type, String(condition), callerOf(request).grant)
      if ('status' in query) return refuseWrite(request, reply, context, query)
      return createUnlessFound(request, reply, context, draft, query)
    }
    const change = { kind: 'put' as const, draft, isFresh: true as const }
    const [outcome] = await writeAdmitted(request, context, [change])
    return sendPut(request, reply, context, draft, outcome!)
  })
  allowOnly(scope, '/:type', ['POST', 'PUT', 'DELETE'])
}

async function createUnlessFound(
  request: FastifyRequest,
  reply: FastifyReply,
  context: StoreContext,
  draft: Draft,
  query: IdentifierQuery,
): Promise<FastifyReply> {
  const { tenant } = callerOf(request)
  let found: readonly Identified[] = []
  const decide = async (client: ClientBase) => {
    ;[found = []] = await recordsByIdentifier(client, tenant, [query], 2)
    return found.length > 0 ? [] : [{ kind: 'put' as const, draft, isFresh: true as const }]
  }
  const changes = { alone: [query], decide }
  const [outcome] = await writeAdmitted(request, context, changes)
  if (outcome) return sendPut(request, reply, context, draft, outcome)
  if (found.length > 1) return refuseWrite(request, reply, context, severalMatches(query))
  const { id, version } = found[0]!
  const room = roomOf(request)
  const stored = await readVersion(context.pool, tenant, query.type, id, version, (bytes) => room.take(bytes))
  const key = `${query.type}/${id}`
  await context.audit.record(auditOf(request, { kind: 'read', outcome: 'success', subjects: [key] }))
  return sendFound(request, reply, key, version, stored)
}
