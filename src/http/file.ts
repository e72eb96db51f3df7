import type { FastifyInstance } from 'fastify'
import { bearerChallenge } from '../access/bearer.ts'
import { contentLinkSecondsMax, signContentLink } from '../access/content-link.ts'
import { coversFile } from '../export/filters.ts'
import { type Grant, lacksRead } from '../export/grant.ts'
import { acceptsFile } from '../export/headers.ts'
import { problem } from '../export/problem.ts'
import { findJob } from '../jobs/job.ts'
import { findPart, type OwnedPart } from '../jobs/part.ts'
import { sendProblems } from './answer.ts'
import { auditOf } from './audited.ts'
import { callerOf } from './caller.ts'
import { contentPath } from './content.ts'
import type { HttpContext } from './context.ts'
import { described } from './description.ts'
import { allowOnly } from './method-not-allowed.ts'
import { isUuid } from './uuid.ts'

const path = '/bulk-export/files/:id'

const fileLink = described({
  tag: 'Export',
  summary: 'Get the link to a file of the manifest',
  token: "of the job's client, with the read scope of the file's type; the `error` file needs no scope",
  answers: {
    307: {
      says: 'Follow `Location` without the token.',
      headers: { Location: `A signed link, good for ${contentLinkSecondsMax} seconds.` },
    },
  },
  refusals: { 404: 'There is no such file, or it was deleted or has expired.', 406: '`Accept` does not allow NDJSON.' },
})

/**
 * `GET bulk-export/files/{id}` (protocol §6): 307 to a signed, short-lived content URL. Needs a token of the job's client with the
 * read scope of the file's type, for as much of it as is in the file; the `error` file has no type, so the client is enough (D20b).
 */
export function fileRoute(scope: FastifyInstance, context: HttpContext): void {
  scope.get(path, { config: { audit: 'link' }, schema: fileLink }, async (request, reply) => {
    const { grant, tenant, profile } = callerOf(request)
    if (!acceptsFile(request.headers.accept)) {
      const text = 'Files are application/fhir+ndjson; the Accept header does not allow that.'
      return sendProblems(reply, [problem(406, 'not-supported', text)], profile)
    }
    const { id } = request.params as { id: string }
    const part = isUuid(id) ? await findPart(context.pool, id) : undefined
    if (!part || part.tenant !== tenant) {
      const text = 'There is no such file, or it was deleted or has expired.'
      return sendProblems(reply, [problem(404, 'not-found', text)], profile)
    }
    if (part.client !== grant.client) {
      return sendProblems(reply, [problem(403, 'forbidden', 'The file belongs to another client.')], profile)
    }
    if (part.kind === 'output' && !(await mayFetch(context, grant, part))) {
      reply.header('WWW-Authenticate', bearerChallenge(context.publicUrl, 'insufficient_scope'))
      return sendProblems(reply, [lacksRead(grant, [part.type])], profile)
    }
    const subjects = [`File/${id}`, `Job/${part.job}`]
    await context.audit.record(
      auditOf(request, { kind: 'link', outcome: 'success', subjects, detail: { type: part.type } }),
    )
    const expires = new Date(Date.now() + contentLinkSecondsMax * 1000)
    const link = signContentLink({ secret: context.contentSecret, path: contentPath(id), fileId: id, expires })
    return reply.code(307).header('Location', `${context.publicUrl}${link}`).send()
  })
  allowOnly(scope, path, ['GET'])
}

/** A token that reads only some of the type may fetch the file when the export was narrowed to as little. */
async function mayFetch(context: HttpContext, grant: Grant, { type, job }: OwnedPart): Promise<boolean> {
  const readable = grant.readable(type)
  if (typeof readable === 'string') return readable === 'all'
  return coversFile(readable, (await findJob(context.pool, job))?.request.filters[type])
}
