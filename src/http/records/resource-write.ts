import type { FastifyInstance } from 'fastify'
import { isId } from '../../fhir/reference.ts'
import { problem } from '../../protocol/problem.ts'
import type { Outcome } from '../../records/write/change.ts'
import { callerOf } from '../caller.ts'
import type { StoreContext } from '../context.ts'
import { described } from '../description.ts'
import { writeAdmitted } from './admitted-write.ts'
import { ifMatchVersion } from './resource-body.ts'
import { readDraft } from './resource-draft.ts'
import { versionConflict } from './version-conflict.ts'
import { checkType } from './writable-type.ts'
import { refuseWrite, sendPut } from './write-answer.ts'
import {
  badBody,
  changedAnswer,
  contendedRefusal,
  createdAnswer,
  deletedAnswer,
  ifMatchHeader,
  resourceBody,
  writing,
} from './write-description.ts'

type Params = { readonly type: string; readonly id: string }

const conflicting = { 409: contendedRefusal, 412: 'The record has another version than `If-Match` says.' }

const update = described({
  ...writing,
  summary: 'Create or change the record with this id',
  headers: ifMatchHeader,
  body: resourceBody,
  answers: { 200: changedAnswer, 201: createdAnswer },
  refusals: { ...badBody, ...conflicting },
})

const deletion = described({
  ...writing,
  summary: 'Delete a record',
  headers: ifMatchHeader,
  answers: { 204: deletedAnswer },
  refusals: { 400: '`If-Match` names no version.', 404: 'The URL names no resource.', ...conflicting },
})

/** FHIR update and delete of the record with an id. They need `system/{type}.write` or its v2 form. */
export function resourceWriteRoutes(scope: FastifyInstance, context: StoreContext): void {
  const config = { audit: 'write' } as const

  scope.put('/:type/:id', { config, schema: update }, async (request, reply) => {
    const { id } = request.params as Params
    const ifMatch = ifMatchVersion(request.headers['if-match'])
    if (ifMatch === 'invalid') return refuseWrite(request, reply, context, badIfMatch)
    const draft = readDraft(request, isId(id) ? id : undefined)
    if ('status' in draft) return refuseWrite(request, reply, context, draft)
    if (draft.statedId !== id) {
      const found = problem(400, 'value', 'The id of the resource must be the one in the URL.', {
        expression: `${draft.type}.id`,
      })
      return refuseWrite(request, reply, context, found)
    }
    const change = { kind: 'put' as const, draft, ...(ifMatch === undefined ? {} : { ifMatch }) }
    const [outcome] = (await writeAdmitted(request, context, [change])) as [Outcome]
    return sendPut(request, reply, context, draft, outcome)
  })

  scope.delete('/:type/:id', { config, schema: deletion }, async (request, reply) => {
    const { grant } = callerOf(request)
    const { type, id } = request.params as Params
    const ifMatch = ifMatchVersion(request.headers['if-match'])
    const badId = isId(id) ? undefined : problem(404, 'not-found', 'The URL names no resource.')
    const refused = checkType(type, grant) ?? badId ?? (ifMatch === 'invalid' ? badIfMatch : undefined)
    if (refused) return refuseWrite(request, reply, context, refused)
    const change = { kind: 'delete' as const, key: { type, id }, ...(typeof ifMatch === 'number' ? { ifMatch } : {}) }
    const [outcome] = await writeAdmitted(request, context, [change])
    if (outcome!.kind === 'conflict') return refuseWrite(request, reply, context, versionConflict(outcome!))
    return reply.code(204).send()
  })
}

export const badIfMatch = problem(400, 'value', 'If-Match must name a version such as W/"3".')
