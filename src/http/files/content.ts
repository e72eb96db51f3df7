import { once } from 'node:events'
import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { verifyContentLink } from '../../access/content-link.ts'
import { errorReason } from '../../database/error-code.ts'
import { parseRange } from '../../files/byte-range.ts'
import { type Coding, DamagedPart, JoinedContent } from '../../files/joined-content.ts'
import { findFile, type OwnedFile } from '../../jobs/published-file.ts'
import { isUuid } from '../../jobs/uuid.ts'
import { problem } from '../../protocol/problem.ts'
import { profiles } from '../../protocol/profile.ts'
import { auditDownload, auditRefusedLink } from '../audit/audited-download.ts'
import type { HttpContext } from '../context.ts'
import { described } from '../description.ts'
import { allowOnly } from '../method-not-allowed.ts'
import { sendProblems } from '../outcome-answer.ts'
import { type RateLimits, sendThrottled } from '../rates.ts'
import { damageRefusals, mendPart, refuseDamaged } from './damaged-part.ts'
import { countDownloads, isGone } from './pace.ts'
import { freedWhenSent } from './sent-pieces.ts'

export const contentPath = (id: string): string => `/content/${id}`

const ndjson = { 'application/fhir+ndjson': { schema: { type: 'string', format: 'binary' } } }

/** What an answer with a file may be. */
export const fileAnswers = {
  200: { says: 'One resource a line.', headers: { ETag: 'One for each coding.' }, content: ndjson },
  206: { says: 'The range.', headers: { 'Content-Range': 'Which bytes.' }, content: ndjson },
  304: { says: 'The file has the ETag.' },
}

const fileContent = described({
  tag: 'Export',
  summary: 'Download a file by its signed link',
  details: 'The link is all that is needed: `Authorization` is ignored.',
  headers: {
    'Accept-Encoding': { type: 'string', description: 'With `gzip` the stored bytes are sent as they are.' },
    Range: { type: 'string', examples: ['bytes=1000-'], description: 'Of the bytes as they are sent.' },
    'If-Range': { type: 'string', description: 'The range counts only with this ETag.' },
    'If-None-Match': { type: 'string' },
  },
  query: { expires: { type: 'string' }, signature: { type: 'string' } },
  answers: fileAnswers,
  refusals: {
    403: 'The link has expired or is not ours. Ask for the URL of the manifest again.',
    404: 'The file was deleted or has expired.',
    416: 'The range lies outside the file.',
    ...damageRefusals,
  },
})

/**
 * The bytes of a file, for whoever holds a signed link; `Authorization` is ignored (protocol §6). Files are stored gzipped: clients that
 * accept gzip get them as they are, the others inflated. Each coding has its own ETag, and `Range` is about the coding that is sent.
 */
export function contentRoute(app: FastifyInstance, context: HttpContext, limits: RateLimits): void {
  const handler = async (request: FastifyRequest, reply: FastifyReply) => {
    const { id } = request.params as { id: string }
    const { expires, signature } = request.query as Record<string, unknown>
    const { contentSecret: secret } = context
    const link = {
      secret,
      path: contentPath(id),
      fileId: id,
      method: request.method,
      expires,
      signature,
      now: new Date(),
    }
    const state = verifyContentLink(link)
    const file = state === 'valid' && isUuid(id) ? await findFile(context.pool, id) : undefined
    const seconds = file ? limits.client(file.client) : limits.address(request)
    if (seconds !== undefined) return sendThrottled(reply, seconds, profiles.millennium)
    if (state !== 'valid') {
      auditRefusedLink(request, context, id, `the link is ${state}`)
      const text = state === 'expired' ? 'The link has expired.' : 'The link is not valid.'
      const found = problem(403, 'forbidden', `${text} Ask for the file's URL in the manifest again.`)
      return sendProblems(reply, [found], profiles.millennium)
    }
    if (!file) {
      const text = 'There is no such file, or it was deleted or has expired.'
      return sendProblems(reply, [problem(404, 'not-found', text)], profiles.millennium)
    }
    return isGone(reply, countDownloads(context.meter)) ? reply.hijack() : sendFile(request, reply, context, file)
  }
  // HEAD is a route of its own: the one that Fastify adds to GET would say that the content is empty.
  const config = { countedBy: 'client' } as const
  app.route({ method: ['GET', 'HEAD'], url: contentPath(':id'), config, schema: fileContent, handler })
  allowOnly(app, contentPath(':id'), ['GET'])
}

/** Sends a file, or what is asked for of it. */
export async function sendFile(request: FastifyRequest, reply: FastifyReply, context: HttpContext, file: OwnedFile) {
  const coding: Coding = acceptsGzip(request.headers['accept-encoding']) ? 'gzip' : 'identity'
  const { tenant, client } = file
  const content = new JoinedContent(context.files, file.parts, coding, (work) =>
    context.inflating.run({ tenant, client, keys: [] }, work),
  )
  const { size } = content
  const etag = etagOf(file, coding)
  if (file.parts.some(({ damaged }) => damaged)) return refuseDamaged(reply, 'begun')
  reply.header('Vary', 'Accept-Encoding').header('Cache-Control', 'private, no-store')
  const { 'if-none-match': ifNoneMatch, 'if-range': ifRange } = request.headers
  if (ifNoneMatch?.split(',').some((tag) => tag.trim() === etag || tag.trim() === '*')) {
    return reply.code(304).header('ETag', etag).send()
  }

  const range = ifRange === undefined || ifRange === etag ? parseRange(request.headers.range, size) : undefined
  if (range === 'unsatisfiable') {
    reply.header('Content-Range', `bytes */${size}`)
    return sendProblems(reply, [problem(416, 'value', 'The range lies outside the file.')], profiles.hl7)
  }
  // The file is opened first: a fault must not be answered under the headers of the file.
  let bytes: Readable | undefined
  try {
    if (request.method !== 'HEAD')
      bytes = await begun(freedWhenSent(content.read(range), reply.raw), (error) =>
        breakOff(error, request, reply, context, file),
      )
  } catch (error) {
    if (!(error instanceof DamagedPart)) throw error
    return refuseDamaged(reply, await mendPart(request, context, file, error))
  }
  const length = range ? range.end - range.start + 1 : size
  if (coding === 'gzip') reply.header('Content-Encoding', 'gzip')
  if (range) reply.code(206).header('Content-Range', `bytes ${range.start}-${range.end}/${size}`)
  reply.header('Content-Length', length).type('application/fhir+ndjson')
  reply.header('ETag', etag).header('Accept-Ranges', 'bytes')
  if (bytes !== undefined) auditDownload(request, reply, context, file, { length, coding })
  return reply.send(bytes)
}

/** One for each coding of each edition: what was begun of a damaged file is never joined to one that was made again. */
function etagOf({ id, parts }: OwnedFile, coding: Coding): string {
  const edition = parts.reduce((sum, part) => sum + part.edition, 0)
  return `"${id}${edition === 0 ? '' : `-${edition}`}${coding === 'gzip' ? '-gzip' : ''}"`
}

/**
 * Waits for the first bytes that are sent. What shows until then, of a small file all there is, is thrown and can be answered; what shows
 * later is handed to `onLate`.
 */
async function begun(content: Readable, onLate: (error: Error) => void): Promise<Readable> {
  await once(content, 'readable')
  content.on('error', onLate)
  return content
}

/**
 * Ends an answer whose head has said how many bytes come, and whose stored ones are not what they were: the client sees that, and what it
 * asked for next gets no bytes of this file.
 */
function breakOff(
  error: Error,
  request: FastifyRequest,
  reply: FastifyReply,
  context: HttpContext,
  file: OwnedFile,
): void {
  reply.raw.destroy()
  if (!(error instanceof DamagedPart)) return
  mendPart(request, context, file, error).catch((fault) =>
    request.log.warn({ file: file.id, reason: errorReason(fault) }, 'damaged file not marked'),
  )
}

/** T-179: gzip only when it is asked for, by name or by `*`, with a weight above 0. */
export function acceptsGzip(header: string | string[] | undefined): boolean {
  const weights = new Map<string, number>()
  for (const item of String(header ?? '').split(',')) {
    const [coding = '', ...parameters] = item.split(';').map((text) => text.trim().toLowerCase())
    const weight = parameters.find((parameter) => parameter.startsWith('q='))
    weights.set(coding, weight === undefined ? 1 : Number(weight.slice(2)) || 0)
  }
  return (weights.get('gzip') ?? weights.get('x-gzip') ?? weights.get('*') ?? 0) > 0
}
