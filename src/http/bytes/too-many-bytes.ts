import type { FastifyReply } from 'fastify'
import { type Problem, problem } from '../../protocol/problem.ts'
import type { Profile } from '../../protocol/profile.ts'
import { sendProblems } from '../outcome-answer.ts'
import type { TooManyBytes } from './bytes-in-flight.ts'

/** When a request may come again that came while too many bytes were in flight. */
export const retryBytesSeconds = 5

const MiB = 1024 * 1024

/** 503 where all have too many, 429 where the caller has. Nothing was done. */
export function tooManyBytesProblem({ whose, bytesMax }: TooManyBytes): Problem {
  const diagnostics = `At most ${Math.floor(bytesMax / MiB)} MiB of bodies and answers may be at a time. Ask again in ${retryBytesSeconds} s.`
  if (whose === 'server') return problem(503, 'transient', 'Too many bytes are under way here.', { diagnostics })
  return problem(429, 'throttled', `Too many bytes of this ${whose} are under way.`, { diagnostics })
}

/** What an answer that was not to be had has said about itself. */
const answerHeaders = ['content-length', 'content-disposition', 'etag', 'last-modified']

export function sendTooManyBytes(reply: FastifyReply, error: TooManyBytes, profile: Profile): FastifyReply {
  for (const name of answerHeaders) reply.removeHeader(name)
  return sendProblems(reply.header('Retry-After', retryBytesSeconds), [tooManyBytesProblem(error)], profile)
}
