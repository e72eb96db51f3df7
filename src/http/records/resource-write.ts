import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { bearerChallenge } from '../../access/bearer.ts'
import { isId, isTypeName } from '../../fhir/reference.ts'
import { storedLine } from '../../fhir/resource-text.ts'
import { type Problem, problem } from '../../protocol/problem.ts'
import { type Draft, draftOf } from '../../records/draft.ts'
import type { Outcome } from '../../records/write/change.ts'
import { write } from '../../records/write/write.ts'
import { auditWrite } from '../audit/audited-write.ts'
import { type Caller, callerOf } from '../caller.ts'
import type { HttpContext } from '../context.ts'
import { described, fhirJsonType, type RouteDescription, schemaNamed } from '../description.ts'
import { allowOnly } from '../method-not-allowed.ts'
import { fhirJson, sendProblems } from '../outcome-answer.ts'
import { bodyText, faultProblem, ifMatchVersion, versionTag } from './resource-body.ts'

type Params = { readonly type: string; readonly id: string }

const resource = { [fhirJsonType]: { schema: schemaNamed('Resource') } }
const written = {
  ETag: 'The version.',
  Location: 'The version that was written.',
  'Last-Modified': '`meta.lastUpdated`',
}
const writing = {
  tag: 'Records',
  token: 'the system write scope of the type',
} as const satisfies Partial<RouteDescription>
const ifMatchHeader = { 'If-Match': { type: 'string', examples: ['W/"3"'] } }
const badBody = {
  400: 'The body is not a resource that can be stored, or does not fit the URL.',
  404: 'The URL names no resource type.',
  415: '`Content-Type` is missing or not FHIR JSON.',
}
const conflicting = { 412: 'The record has another version than `If-Match` says.' }

const create = described({
  ...writing,
  summary: 'Create a record; the server gives the id',
  body: { [fhirJsonType]: schemaNamed('Resource') },
  answers: { 201: { says: 'The record as it was stored.', headers: written, content: resource } },
  refusals: badBody,
})

const update = described({
  ...writing,
  summary: 'Create or change the record with this id',
  headers: ifMatchHeader,
  body: { [fhirJsonType]: schemaNamed('Resource') },
  answers: {
    200: {
      says: 'It was changed. Without a body: nothing differs, there is no new version.',
      headers: written,
      content: resource,
    },
    201: { says: 'It was created.', headers: written, content: resource },
  },
  refusals: { ...badBody, ...conflicting },
})

const deletion = described({
  ...writing,
  summary: 'Delete a record',
  headers: ifMatchHeader,
  answers: { 204: { says: 'It is not there, or not any more.' } },
  refusals: { 400: '`If-Match` names no version.', 404: 'The URL names no resource.', ...conflicting },
})

/** FHIR create, update and delete. They need `system/{type}.write` or its v2 form. */
export function resourceWriteRoutes(scope: FastifyInstance, context: HttpContext): void {
  const config = { audit: 'write' } as const
  scope.post('/:type', { config, schema: create }, async (request, reply) => {
    if (request.headers['if-none-exist'] !== undefined) return refuse(reply, context, conditionalCreate, request)
    const draft = readDraft(request, randomUUID())
    if ('status' in draft) return refuse(reply, context, draft, request)
    return put(request, reply, context, draft, undefined)
  })
  allowOnly(scope, '/:type', ['POST'])

  scope.put('/:type/:id', { config, schema: update }, async (request, reply) => {
    const { id } = request.params as Params
    const ifMatch = ifMatchVersion(request.headers['if-match'])
    if (ifMatch === 'invalid') return refuse(reply, context, badIfMatch, request)
    const draft = readDraft(request, isId(id) ? id : undefined)
    if ('status' in draft) return refuse(reply, context, draft, request)
    if (draft.statedId !== id) {
      const found = problem(400, 'value', 'The id of the resource must be the one in the URL.', {
        expression: `${draft.type}.id`,
      })
      return refuse(reply, context, found, request)
    }
    return put(request, reply, context, draft, ifMatch)
  })

  scope.delete('/:type/:id', { config, schema: deletion }, async (request, reply) => {
    const { grant, tenant } = callerOf(request)
    const { type, id } = request.params as Params
    const ifMatch = ifMatchVersion(request.headers['if-match'])
    const badId = isId(id) ? undefined : problem(404, 'not-found', 'The URL names no resource.')
    const refused = checkType(type, grant) ?? badId ?? (ifMatch === 'invalid' ? badIfMatch : undefined)
    if (refused) return refuse(reply, context, refused, request)
    const change = { kind: 'delete' as const, key: { type, id }, ...(typeof ifMatch === 'number' ? { ifMatch } : {}) }
    const [outcome] = await write(context.pool, tenant, [change], { beforeCommit: auditWrite(request) })
    if (outcome!.kind === 'conflict') return refuse(reply, context, versionConflict(outcome!), request)
    return reply.code(204).send()
  })
}

const conditionalCreate = problem(400, 'not-supported', 'Conditional create (If-None-Exist) is not supported.')
const badIfMatch = problem(400, 'value', 'If-Match must name a version such as W/"3".')

/** FHIR: 412 when the version that the client saw is not the current one. */
export const versionConflict = (outcome: Outcome): Problem =>
  problem(412, 'conflict', 'The resource has changed since the version in If-Match.', {
    diagnostics: outcome.version === 0 ? 'It does not exist.' : `The current version is ${outcome.version}.`,
  })

/** The type must be a type, and writable with the token. */
export function checkType(type: string, grant: Caller['grant']): Problem | undefined {
  if (!isTypeName(type)) return problem(404, 'not-found', 'The URL names no resource type.')
  if (type === 'AuditEvent') return problem(400, 'not-supported', 'AuditEvents are written by the server only.')
  if (!grant.canWrite(type)) return problem(403, 'forbidden', `The token lacks the scope system/${type}.write.`)
  return undefined
}

function readDraft(request: FastifyRequest, id: string | undefined): Draft | Problem {
  const { grant, base } = callerOf(request)
  const { type } = request.params as Params
  const refused = checkType(type, grant)
  if (refused) return refused
  const text = bodyText(request)
  if (typeof text !== 'string') return text
  const draft = draftOf(text, [base], id)
  if ('fault' in draft) return faultProblem(draft)
  if (draft.type === type) return draft
  return problem(400, 'value', 'resourceType must be the one in the URL.', { expression: 'resourceType' })
}

async function put(
  request: FastifyRequest,
  reply: FastifyReply,
  context: HttpContext,
  draft: Draft,
  ifMatch: number | undefined,
) {
  const { tenant, base } = callerOf(request)
  const change = { kind: 'put' as const, draft, ...(ifMatch === undefined ? {} : { ifMatch }) }
  const [outcome] = (await write(context.pool, tenant, [change], { beforeCommit: auditWrite(request) })) as [Outcome]
  if (outcome.kind === 'conflict') return refuse(reply, context, versionConflict(outcome), request)
  const { type, id, text } = draft
  reply
    .code(outcome.kind === 'created' ? 201 : 200)
    .header('ETag', versionTag(outcome.version))
    .header('Location', `${base}/${type}/${id}/_history/${outcome.version}`)
  if (outcome.lastUpdated === undefined) return reply.send()
  reply.header('Last-Modified', new Date(outcome.lastUpdated).toUTCString())
  return reply.type(fhirJson).send(storedLine(text, outcome.version, outcome.lastUpdated))
}

function refuse(reply: FastifyReply, context: HttpContext, found: Problem, request: FastifyRequest) {
  if (found.status === 403) reply.header('WWW-Authenticate', bearerChallenge(context.publicUrl, 'insufficient_scope'))
  return sendProblems(reply, [found], callerOf(request).profile)
}
