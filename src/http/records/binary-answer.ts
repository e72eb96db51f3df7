import type { FastifyReply, FastifyRequest } from 'fastify'
import { bearerChallenge } from '../../access/bearer.ts'
import { securityContextOf } from '../../fhir/security-context.ts'
import { parseRange } from '../../files/byte-range.ts'
import { lacksRead } from '../../protocol/grant.ts'
import { problem } from '../../protocol/problem.ts'
import { roomOf } from '../bytes/room.ts'
import { callerOf } from '../caller.ts'
import type { StoreContext } from '../context.ts'
import { sendProblems } from '../outcome-answer.ts'
import type { BinaryContent } from './binary-content.ts'
import { readableCurrent } from './readable-record.ts'

/**
 * Refuses to who may not read what the `securityContext` of a Binary names (FHIR R4; D37). What granular scopes do not let read is
 * answered as what is not there. A patient who is named decides nothing: the Binary is one of their records.
 * @returns undefined for who may read it
 */
export async function refusedBinary(
  request: FastifyRequest,
  reply: FastifyReply,
  context: StoreContext,
  body: Buffer,
): Promise<FastifyReply | undefined> {
  const caller = callerOf(request)
  const { grant, profile } = caller
  const named = securityContextOf(body, [caller.base])
  const readable = named ? grant.readable(named.type) : 'all'
  if (!named || readable === 'all') return undefined
  if (readable === 'none') {
    reply.header('WWW-Authenticate', bearerChallenge(context.publicUrl, 'insufficient_scope'))
    return sendProblems(reply, [lacksRead(grant, [named.type])], profile)
  }
  const found = await readableCurrent(context, caller, named, (bytes) => roomOf(request).take(bytes))
  if (found) return undefined
  return sendProblems(reply, [noSuchBinary], profile)
}

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
