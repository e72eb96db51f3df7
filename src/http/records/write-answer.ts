import type { FastifyReply, FastifyRequest } from 'fastify'
import { bearerChallenge } from '../../access/bearer.ts'
import { storedLine } from '../../fhir/resource-text.ts'
import type { Problem } from '../../protocol/problem.ts'
import type { Draft } from '../../records/draft.ts'
import type { StoredVersion } from '../../records/read.ts'
import type { Outcome } from '../../records/write/change.ts'
import { callerOf } from '../caller.ts'
import type { StoreContext } from '../context.ts'
import { fhirJson, sendProblems } from '../outcome-answer.ts'
import { versionTag } from './resource-body.ts'
import { versionConflict } from './version-conflict.ts'

/** Refuses a write. */
export function refuseWrite(request: FastifyRequest, reply: FastifyReply, context: StoreContext, found: Problem) {
  if (found.status === 403) reply.header('WWW-Authenticate', bearerChallenge(context.publicUrl, 'insufficient_scope'))
  return sendProblems(reply, [found], callerOf(request).profile)
}

/** Tells what became of a put: with its text, unless nothing was written. */
export function sendPut(
  request: FastifyRequest,
  reply: FastifyReply,
  context: StoreContext,
  { type, id, text }: Draft,
  outcome: Outcome,
) {
  if (outcome.kind === 'conflict') return refuseWrite(request, reply, context, versionConflict(outcome))
  reply
    .code(outcome.kind === 'created' ? 201 : 200)
    .header('ETag', versionTag(outcome.version))
    .header('Location', `${callerOf(request).base}/${type}/${id}/_history/${outcome.version}`)
  if (outcome.lastUpdated === undefined) return reply.send()
  reply.header('Last-Modified', new Date(outcome.lastUpdated).toUTCString())
  return reply.type(fhirJson).send(storedLine(text, outcome.version, outcome.lastUpdated))
}

/** Answers a conditional create with the record that is there; without its text, if another version has come and this one has gone since. */
export function sendFound(
  request: FastifyRequest,
  reply: FastifyReply,
  key: string,
  version: number,
  found: StoredVersion | undefined,
) {
  reply
    .code(200)
    .header('ETag', versionTag(version))
    .header('Location', `${callerOf(request).base}/${key}/_history/${version}`)
  if (!found) return reply.send()
  return reply.header('Last-Modified', found.updated.toUTCString()).type(fhirJson).send(found.body)
}
