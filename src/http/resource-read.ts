import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { bearerChallenge } from '../access/bearer.ts'
import { type Problem, problem } from '../export/problem.ts'
import { isId, isTypeName } from '../fhir/reference.ts'
import { readCurrent, readVersion, type StoredVersion } from '../records/read.ts'
import { fhirJson, sendProblems } from './answer.ts'
import { callerOf } from './caller.ts'
import type { HttpContext } from './context.ts'
import { allowOnly } from './method-not-allowed.ts'
import { versionTag } from './resource-body.ts'

/** FHIR read and vread. They need `system/{type}.read`. */
export function resourceReadRoutes(scope: FastifyInstance, context: HttpContext): void {
  scope.get('/:type/:id', (request, reply) =>
    send(request, reply, context, ({ tenant, type, id }) => readCurrent(context.pool, tenant, type, id)),
  )
  allowOnly(scope, '/:type/:id', ['GET', 'PUT', 'DELETE'])

  scope.get('/:type/:id/_history/:version', (request, reply) => {
    const version = /^\d{1,9}$/.exec((request.params as { version: string }).version)?.[0]
    return send(request, reply, context, async ({ tenant, type, id }) =>
      version === undefined ? undefined : readVersion(context.pool, tenant, type, id, Number(version)),
    )
  })
  allowOnly(scope, '/:type/:id/_history/:version', ['GET'])
}

interface Wanted {
  readonly tenant: string
  readonly type: string
  readonly id: string
}

async function send(
  request: FastifyRequest,
  reply: FastifyReply,
  context: HttpContext,
  read: (wanted: Wanted) => Promise<StoredVersion | undefined>,
): Promise<FastifyReply> {
  const { grant, tenant, profile } = callerOf(request)
  const { type, id } = request.params as { type: string; id: string }
  const refuse = (found: Problem) => sendProblems(reply, [found], profile)
  if (!isTypeName(type) || !isId(id)) return refuse(problem(404, 'not-found', 'The URL names no resource.'))
  if (!grant.canRead(type)) {
    reply.header('WWW-Authenticate', bearerChallenge(context.publicUrl, 'insufficient_scope'))
    return refuse(problem(403, 'forbidden', `The token lacks the scope system/${type}.read.`))
  }
  const found = await read({ tenant, type, id })
  if (!found)
    return refuse(problem(404, 'not-found', 'There is no such resource, or that version is not kept any more.'))
  if (found.body === null) return refuse(problem(410, 'deleted', 'The resource was deleted.'))

  const etag = versionTag(found.version)
  reply.header('ETag', etag).header('Last-Modified', found.updated.toUTCString())
  if (request.headers['if-none-match'] === etag) return reply.code(304).send()
  const bytes = type === 'Binary' ? rawContent(request, found.body) : undefined
  if (bytes) return reply.header('Content-Disposition', 'attachment').type(bytes.contentType).send(bytes.data)
  return reply.type(fhirJson).send(found.body)
}

/** protocol §4: a Binary is a FHIR resource for clients that ask for FHIR JSON, its bytes for the others. */
function rawContent(request: FastifyRequest, body: string): { contentType: string; data: Buffer } | undefined {
  if (/application\/(fhir\+json|json\+fhir)/i.test(request.headers.accept ?? 'application/fhir+json')) return undefined
  const { contentType, data } = JSON.parse(body) as { contentType?: unknown; data?: unknown }
  if (typeof contentType !== 'string' || typeof data !== 'string') return undefined
  const isMediaType = /^[\w.+-]+\/[\w.+-]+(\s*;[\x20-\x7e]*)?$/.test(contentType)
  return { contentType: isMediaType ? contentType : 'application/octet-stream', data: Buffer.from(data, 'base64') }
}
