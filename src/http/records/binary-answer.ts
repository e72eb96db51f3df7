import type { FastifyReply, FastifyRequest } from 'fastify'
import { securityContextOf } from '../../fhir/security-context.ts'
import { parseRange } from '../../files/byte-range.ts'
import { lacksRead } from '../../protocol/grant.ts'
import { type Problem, problem } from '../../protocol/problem.ts'
import { binaryContexts, readsEveryContext } from '../../protocol/request/binary-contexts.ts'
import type { Admit } from '../../records/read.ts'
import { type Caller, callerOf } from '../caller.ts'
import type { StoreContext } from '../context.ts'
import { sendProblems } from '../outcome-answer.ts'
import type { BinaryContent } from './binary-content.ts'
import { readableCurrent } from './readable-record.ts'

/**
 * Why a caller may not read a Binary, undefined if they may: that takes who may read what its `securityContext` names (FHIR R4; D37). What
 * granular scopes do not let read is answered as what is not there. A patient who is named decides nothing: the Binary is one of their records.
 * @param admit asked before what is named is read
 */
export async function binaryRefusal(
  context: StoreContext,
  caller: Caller,
  body: string | Buffer,
  admit: Admit,
): Promise<Problem | undefined> {
  const { grant, profile, base } = caller
  if (!profile.attachments) return undefined
  const named = securityContextOf(bytesOf(body), [base])
  if (named === 'none') return undefined
  if (named === 'unreadable')
    return readsEveryContext(binaryContexts(['Binary'], grant, profile)) ? undefined : unknownContext
  const readable = grant.readable(named.type)
  if (readable === 'all') return undefined
  if (readable === 'none') return lacksRead(grant, [named.type])
  return (await readableCurrent(context, caller, named, admit)) ? undefined : noSuchBinary
}

export const bytesOf = (body: string | Buffer): Buffer => (typeof body === 'string' ? Buffer.from(body) : body)

const unknownContext = problem(
  403,
  'forbidden',
  'What decides who may read this Binary is no record of this server. It takes a token that reads all types.',
)

const noSuchBinary = problem(404, 'not-found', 'There is no such resource, or that version is not kept any more.')

/** The tag of the bytes of a version: they are always the same, so ranges of them may be put together. */
export const contentTag = (version: number): string => `"${version}"`

/** Sends the bytes of a Binary, or a range of them, in their own type. */
export function sendBinary(
  request: FastifyRequest,
  reply: FastifyReply,
  { contentType, data }: BinaryContent,
): FastifyReply {
  const { range: asked, 'if-range': ifRange } = request.headers
  const range =
    ifRange === undefined || ifRange === reply.getHeader('ETag') ? parseRange(asked, data.length) : undefined
  reply.header('Accept-Ranges', 'bytes')
  if (range === 'unsatisfiable') {
    reply.header('Content-Range', `bytes */${data.length}`)
    const found = problem(416, 'value', 'The range lies outside the content.')
    return sendProblems(reply, [found], callerOf(request).profile)
  }
  if (range) reply.code(206).header('Content-Range', `bytes ${range.start}-${range.end}/${data.length}`)
  return reply.type(contentType).send(range ? data.subarray(range.start, range.end + 1) : data)
}
