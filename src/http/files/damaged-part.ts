import type { FastifyReply, FastifyRequest } from 'fastify'
import type { DamagedPart } from '../../files/joined-content.ts'
import { askMending, type Mending } from '../../jobs/mending.ts'
import type { OwnedFile } from '../../jobs/published-file.ts'
import { problem } from '../../protocol/problem.ts'
import { profiles } from '../../protocol/profile.ts'
import type { HttpContext } from '../context.ts'
import { sendProblems } from '../outcome-answer.ts'

/** When a file that is made again may be there, and when one that was made again meanwhile is. */
const retryMendingSeconds = 5
const retryMendedSeconds = 1

/** What the descriptions of routes with files tell of it. */
export const damageRefusals = {
  500: 'The stored file is damaged and cannot be made again. Start a new export.',
  503: 'The stored file is damaged and is made again, or the store cannot be reached. Ask again after `Retry-After` seconds.',
}

/** Has a part of a file made again that is not what was published, and logs it. */
export async function mendPart(
  request: FastifyRequest,
  { pool, enqueue }: HttpContext,
  { id, job, parts }: OwnedFile,
  { part, message }: DamagedPart,
): Promise<Mending> {
  const { path } = part
  const mending = await askMending(pool, enqueue, job, parts.find((each) => each.path === path)!)
  if (mending === 'begun' || mending === 'failed')
    request.log.error({ file: id, job, path, reason: message, mending }, 'stored file damaged')
  return mending
}

export function refuseDamaged(reply: FastifyReply, mending: Mending) {
  if (mending === 'gone') {
    const text = 'There is no such file, or it was deleted or has expired.'
    return sendProblems(reply, [problem(404, 'not-found', text)], profiles.millennium)
  }
  if (mending === 'failed') {
    const text = 'The stored file is damaged, and cannot be made again. Start a new export.'
    return sendProblems(reply, [problem(500, 'exception', text)], profiles.millennium)
  }
  reply.header('Retry-After', mending === 'begun' ? retryMendingSeconds : retryMendedSeconds)
  const text = 'The stored file is damaged, and is being made again. Ask again later.'
  return sendProblems(reply, [problem(503, 'transient', text)], profiles.millennium)
}
