import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { bearerChallenge } from '../../access/bearer.ts'
import { isId, isTypeName } from '../../fhir/reference.ts'
import { lacksRead } from '../../protocol/grant.ts'
import { type Problem, problem } from '../../protocol/problem.ts'
import type { Profile } from '../../protocol/profile.ts'
import type { Admit, StoredVersion } from '../../records/read.ts'
import { auditOf } from '../audit/audited-refusal.ts'
import { roomOf } from '../bytes/room.ts'
import { type Caller, callerOf } from '../caller.ts'
import type { StoreContext } from '../context.ts'
import { described, fhirJsonType, type RouteDescription, schemaNamed } from '../description.ts'
import { allowOnly } from '../method-not-allowed.ts'
import { fhirJson, sendProblems } from '../outcome-answer.ts'
import { binaryRefusal, bytesOf, contentTag, sendBinary } from './binary-answer.ts'
import { asksForResource, type BinaryContent, binaryContent } from './binary-content.ts'
import { readableCurrent, readableVersion, type Wanted } from './readable-record.ts'
import { versionTag } from './resource-body.ts'

const reading = {
  tag: 'Records',
  token: 'the system read scope of the type',
  headers: {
    'If-None-Match': { type: 'string', examples: ['W/"3"'] },
    Range: { type: 'string', examples: ['bytes=1000-'], description: 'Of the bytes of a Binary; profile `hl7` only.' },
    'If-Range': { type: 'string', description: 'The range counts only with this ETag.' },
  },
  answers: {
    200: {
      says: 'The record. A Binary is sent as its bytes, unless FHIR JSON is asked for.',
      headers: { ETag: 'The version.', 'Last-Modified': '`meta.lastUpdated`' },
      content: { [fhirJsonType]: { schema: schemaNamed('Resource') } },
    },
    206: { says: 'The range of the bytes of a Binary.', headers: { 'Content-Range': 'Which bytes.' } },
    304: { says: 'The record has the version of `If-None-Match`.' },
  },
  refusals: {
    404: 'There is no such record, or that version is not kept any more.',
    410: 'It was deleted.',
    416: 'The range lies outside the content.',
  },
} as const satisfies Partial<RouteDescription>

const read = described({ ...reading, summary: 'Read a record' })
const versionRead = described({ ...reading, summary: 'Read a version of a record' })

/** The longest record that the answering thread reads itself. */
const ownRecordBytesMax = 256 * 1024

/** Has a request answered by another thread. */
export type Elsewhere = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>

/** A record is too long to be read here. Nothing of it was. */
class LargeRecord extends Error {}

type Find = (wanted: Wanted, admit: Admit) => Promise<StoredVersion | undefined>

/**
 * FHIR read and vread. They need `system/{type}.read`; what granular scopes do not let read is answered as what is not
 * there.
 * @param elsewhere where large records are read; without, they are read here
 */
export function resourceReadRoutes(scope: FastifyInstance, context: StoreContext, elsewhere?: Elsewhere): void {
  const send = (request: FastifyRequest, reply: FastifyReply, find: Find) =>
    answer(request, reply, context, find, elsewhere)
  const config = { audit: 'read', looks: true } as const
  scope.get('/:type/:id', { config, schema: read }, (request, reply) =>
    send(request, reply, (wanted, admit) => readableCurrent(context, callerOf(request), wanted, admit)),
  )
  allowOnly(scope, '/:type/:id', ['GET', 'PUT', 'DELETE'])

  scope.get('/:type/:id/_history/:version', { config, schema: versionRead }, (request, reply) => {
    const version = /^\d{1,9}$/.exec((request.params as { version: string }).version)?.[0]
    return send(request, reply, async (wanted, admit) =>
      version === undefined ? undefined : readableVersion(context, callerOf(request), wanted, Number(version), admit),
    )
  })
  allowOnly(scope, '/:type/:id/_history/:version', ['GET'])
}

async function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  context: StoreContext,
  find: Find,
  elsewhere: Elsewhere | undefined,
): Promise<FastifyReply> {
  const { grant, profile } = callerOf(request)
  const { type, id } = request.params as { type: string; id: string }
  const refuse = (found: Problem) => sendProblems(reply, [found], profile)
  // Entries of the audit trail are no records, and have one version.
  if (!isTypeName(type) || !isId(id) || type === 'AuditEvent')
    return refuse(problem(404, 'not-found', 'The URL names no resource.'))
  if (grant.readable(type) === 'none') {
    reply.header('WWW-Authenticate', bearerChallenge(context.publicUrl, 'insufficient_scope'))
    return refuse(lacksRead(grant, [type]))
  }
  const room = roomOf(request)
  const admit = (bytes: number) => {
    if (elsewhere && bytes > ownRecordBytesMax) throw new LargeRecord()
    return room.take(bytes)
  }
  try {
    const wanted = { type, id, isPast: 'version' in (request.params as object) }
    const found = await find(wanted, admit)
    if (!found)
      return refuse(problem(404, 'not-found', 'There is no such resource, or that version is not kept any more.'))
    if (found.body === null) return refuse(problem(410, 'deleted', 'The resource was deleted.'))
    if (type !== 'Binary') return await sendVersion(request, reply, context, found, undefined)
    const refusal = await refusalOfVersion(context, callerOf(request), wanted, found.body, admit)
    if (refusal?.status === 403)
      reply.header('WWW-Authenticate', bearerChallenge(context.publicUrl, 'insufficient_scope'))
    if (refusal) return refuse(refusal)
    return await sendVersion(request, reply, context, found, contentOf(request, profile, bytesOf(found.body)))
  } catch (error) {
    if (error instanceof LargeRecord) return elsewhere!(request, reply)
    throw error
  }
}

/** What protects a Binary now protects its old versions, too, and what protected one of them still does. */
async function refusalOfVersion(
  context: StoreContext,
  caller: Caller,
  wanted: Wanted & { readonly isPast: boolean },
  body: string | Buffer,
  admit: Admit,
): Promise<Problem | undefined> {
  const refusal = await binaryRefusal(context, caller, body, admit)
  if (refusal || !wanted.isPast || !caller.profile.attachments) return refusal
  const current = await readableCurrent(context, caller, wanted, admit)
  return current && current.body !== null ? binaryRefusal(context, caller, current.body, admit) : undefined
}

/** @param content sent in place of the text */
async function sendVersion(
  request: FastifyRequest,
  reply: FastifyReply,
  context: StoreContext,
  { version, updated, body }: StoredVersion,
  content: BinaryContent | undefined,
): Promise<FastifyReply> {
  const { attachments } = callerOf(request).profile
  const { type, id } = request.params as { type: string; id: string }
  const etag = content && attachments ? contentTag(version) : versionTag(version)
  if (type === 'Binary' && attachments) reply.header('Vary', 'Accept')
  reply.header('ETag', etag).header('Last-Modified', updated.toUTCString())
  if (request.headers['if-none-match'] === etag) return reply.code(304).send()
  const detail = { version }
  await context.audit.record(
    auditOf(request, { kind: 'read', outcome: 'success', subjects: [`${type}/${id}`], detail }),
  )
  if (content === undefined) return reply.type(fhirJson).send(body)
  reply.header('Content-Disposition', 'attachment')
  return attachments ? sendBinary(request, reply, content) : reply.type(content.contentType).send(content.data)
}

/**
 * protocol §4: a Binary is a FHIR resource for clients that ask for FHIR JSON, its bytes for the others. Who asks for nothing gets the bytes
 * where attachments are served (D37), as R4 has it.
 */
function contentOf(request: FastifyRequest, { attachments }: Profile, body: Buffer): BinaryContent | undefined {
  const accept = request.headers.accept ?? (attachments ? undefined : fhirJsonType)
  return asksForResource(accept) ? undefined : binaryContent(body)
}
