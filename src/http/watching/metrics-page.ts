import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { GuessLimit } from '../../access/guess-limit.ts'
import { problem } from '../../protocol/problem.ts'
import { profiles } from '../../protocol/profile.ts'
import type { HttpContext } from '../context.ts'
import { undescribed } from '../description.ts'
import { sendProblems } from '../outcome-answer.ts'

/** What Prometheus scrapes. */
export interface MetricsPage {
  readonly contentType: string
  readonly scrape: () => Promise<string>
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Whether an `Authorization` header has the token; looked at in the same time whatever it has. */
export const hasToken = (authorization: string | undefined, token: string): boolean =>
  timingSafeEqual(digest(authorization ?? ''), digest(`Bearer ${token}`))

/** `/metrics` on the port of clients, for whoever has the token: it tells nothing of patients, and how much the server does. */
export function metricsRoute(app: FastifyInstance, { metrics }: Pick<HttpContext, 'metrics'>): void {
  if (!metrics) return
  const { page, token } = metrics
  const limit = new GuessLimit(() => performance.now())
  app.get('/metrics', { config: { cors: false }, schema: undescribed }, async (request, reply) => {
    const { authorization } = request.headers
    if (hasToken(authorization, token)) return reply.type(page.contentType).send(await page.scrape())
    const waitMs = limit.waitMs(request.ip)
    if (waitMs > 0) {
      reply.header('Retry-After', Math.ceil(waitMs / 1000))
      return sendProblems(reply, [tooMany], profiles.millennium)
    }
    if (authorization !== undefined) limit.wrong(request.ip)
    reply.header('WWW-Authenticate', 'Bearer realm="Millrace metrics"')
    return sendProblems(reply, [unknown], profiles.millennium)
  })
}

const unknown = problem(401, 'login', 'The token of the metrics is missing or wrong.')
const tooMany = problem(429, 'throttled', 'Too many wrong tokens came from this address. Ask again later.')
