import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { bearerChallenge } from '../../access/bearer.ts'
import { contentLinkSecondsMax, signContentLink } from '../../access/content-link.ts'
import { DamagedPart } from '../../files/joined-content.ts'
import { findFile, type OwnedFile } from '../../jobs/published-file.ts'
import { isUuid } from '../../jobs/uuid.ts'
import { type Grant, lacksRead } from '../../protocol/grant.ts'
import { problem } from '../../protocol/problem.ts'
import type { Profile } from '../../protocol/profile.ts'
import { lacksContexts } from '../../protocol/request/binary-contexts.ts'
import { uncovered, untold } from '../../protocol/request/filters.ts'
import { acceptsFile } from '../../protocol/request/headers.ts'
import { auditOf } from '../audit/audited-refusal.ts'
import { callerOf } from '../caller.ts'
import type { HttpContext } from '../context.ts'
import { described } from '../description.ts'
import { allowOnly } from '../method-not-allowed.ts'
import { sendProblems } from '../outcome-answer.ts'
import { contentPath, fileAnswers, sendFile } from './content.ts'
import { damageRefusals, mendPart, refuseDamaged } from './damaged-part.ts'
import { countDownloads, isGone } from './pace.ts'
import { storeLink } from './store-link.ts'

const path = '/bulk-export/files/:id'

const fileLink = described({
  tag: 'Export',
  summary: 'Get the link to a file of the manifest, or the file',
  token:
    "of the job's client, with the read scope of the file's type (the `error` file needs no scope); in `hl7` with those of all types of the export",
  answers: {
    307: {
      says: 'Follow `Location` without the token.',
      headers: { Location: `A signed link, good for ${contentLinkSecondsMax} seconds.` },
    },
    ...fileAnswers,
  },
  refusals: {
    404: 'There is no such file, or it was deleted or has expired.',
    406: '`Accept` does not allow NDJSON.',
    416: 'The range lies outside the file.',
    ...damageRefusals,
  },
})

/**
 * `GET bulk-export/files/{id}` (protocol §6): 307 to a signed, short-lived content URL, or the file itself (D22). Needs a token of the
 * job's client with the read scope of the file's type, or of all types of the export, for as much of them as was exported (D20b).
 */
export function fileRoute(scope: FastifyInstance, context: HttpContext): void {
  const handler = async (request: FastifyRequest, reply: FastifyReply) => {
    const { grant, tenant, profile } = callerOf(request)
    if (!acceptsFile(request.headers.accept)) {
      const text = 'Files are application/fhir+ndjson; the Accept header does not allow that.'
      return sendProblems(reply, [problem(406, 'not-supported', text)], profile)
    }
    const { id } = request.params as { id: string }
    const file = isUuid(id) ? await findFile(context.pool, id) : undefined
    if (!file || file.tenant !== tenant) {
      const text = 'There is no such file, or it was deleted or has expired.'
      return sendProblems(reply, [problem(404, 'not-found', text)], profile)
    }
    if (file.client !== grant.client) {
      return sendProblems(reply, [problem(403, 'forbidden', 'The file belongs to another client.')], profile)
    }
    const missing = lacking(file, grant, profile)
    if (missing.length > 0) {
      reply.header('WWW-Authenticate', bearerChallenge(context.publicUrl, 'insufficient_scope'))
      return sendProblems(reply, [lacksRead(grant, missing)], profile)
    }
    if (profile.fileRedirect) return redirect(request, reply, context, file)
    await auditLink(request, context, file, {})
    return isGone(reply, countDownloads(context.meter)) ? reply.hijack() : sendFile(request, reply, context, file)
  }
  // HEAD is a route of its own: the one that Fastify adds to GET would say that the file is empty.
  scope.route({ method: ['GET', 'HEAD'], url: path, config: { audit: 'link' }, schema: fileLink, handler })
  allowOnly(scope, path, ['GET'])
}

/** To the store of files itself where that can hand the file out, else to this server. */
async function redirect(request: FastifyRequest, reply: FastifyReply, context: HttpContext, file: OwnedFile) {
  const direct = await storeLink(request, context, file)
  if (direct instanceof DamagedPart) return refuseDamaged(reply, await mendPart(request, context, file, direct))
  await auditLink(request, context, file, direct === undefined ? {} : { store: true })
  const location = direct ?? contentLink(context, file.id)
  return reply.code(307).header('Location', location).send()
}

/** Recorded before the link or the file is given. */
function auditLink(
  request: FastifyRequest,
  { audit }: HttpContext,
  { id, job, type }: OwnedFile,
  more: { readonly store?: true },
): Promise<void> {
  const subjects = [`File/${id}`, `Job/${job}`]
  return audit.record(auditOf(request, { kind: 'link', outcome: 'success', subjects, detail: { type, ...more } }))
}

/** A link to the file on this server. */
function contentLink({ contentSecret: secret, publicUrl }: HttpContext, id: string): string {
  const expires = new Date(Date.now() + contentLinkSecondsMax * 1000)
  return `${publicUrl}${signContentLink({ secret, path: contentPath(id), fileId: id, expires })}`
}

/** The types of which the caller may not read as much as the file tells. */
function lacking(file: OwnedFile, grant: Grant, profile: Profile): readonly string[] {
  const types = typesIn(file, profile)
  const missing = uncovered(file.request, grant, types)
  if (types.includes('Binary') && !missing.includes('Binary') && lacksContexts(file.request, grant, profile))
    missing.push('Binary')
  return file.kind === 'deleted' ? [...new Set([...missing, ...untold(file.request, grant)])] : missing
}

/**
 * The types whose read scopes a file asks for. A file of records has one type; one of deletions or of blocks of patients has to do with
 * all types of its export; the `error` file has none.
 */
function typesIn({ kind, type, request }: OwnedFile, { scopesAlways }: Profile): readonly string[] {
  if (scopesAlways) return request.types
  if (kind === 'error') return []
  return kind === 'output' && (request.types as readonly string[]).includes(type) ? [type] : request.types
}
