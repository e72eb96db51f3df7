import type { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { storeChain } from '../../audit/entry.ts'
import type { OwnedFile } from '../../jobs/published-file.ts'
import { isUuid } from '../../jobs/uuid.ts'
import type { HttpContext } from '../context.ts'
import { auditOf, keepRefusal } from './audited-refusal.ts'

/** What is going to be sent of a file: bytes of the answer's body, and how they are coded. */
interface Sending {
  readonly length: number
  readonly coding: 'gzip' | 'identity'
}

/**
 * Counts the bytes of a file on their way to the client, and records the download when the connection has taken them all, or has closed
 * before. Call it before the stream is sent. The caller is the client that the link was made for. Bytes that were handed to the connection
 * count, although the last of them may not have arrived when it breaks.
 */
export function auditDownload(
  request: FastifyRequest,
  reply: FastifyReply,
  context: HttpContext,
  file: OwnedFile,
  { length, coding }: Sending,
): void {
  let bytes = 0
  // Listening where the bytes go in leaves the stream as it is: its end and its faults are not ours.
  reply.raw.once('pipe', (content: Readable) => {
    content.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
  })
  const ended = () => {
    const complete = reply.raw.writableFinished && bytes === length
    const event = {
      tenant: file.tenant,
      kind: 'download' as const,
      outcome: complete ? ('success' as const) : ('failed' as const),
      agent: { kind: 'client' as const, id: file.client },
      subjects: [`File/${file.id}`, `Job/${file.job}`],
      detail: { type: file.type, bytes, of: length, coding, complete },
      ...(complete ? {} : { reason: 'the transfer was broken off' }),
    }
    context.audit
      .record(auditOf(request, event))
      .catch((error) =>
        request.log.error({ file: file.id, bytes, complete, reason: error.message }, 'download not recorded'),
      )
  }
  if (reply.raw.closed) ended()
  else reply.raw.once('close', ended)
}

/** Records a request for content that was refused: nobody knows by whom, and of which tenant. */
export function auditRefusedLink(request: FastifyRequest, context: HttpContext, id: string, reason: string): void {
  const subjects = isUuid(id) ? [`File/${id}`] : []
  keepRefusal(request, context, { tenant: storeChain, kind: 'download', outcome: 'refused', subjects, reason })
}
