import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import { problem } from '../../protocol/problem.ts'
import type { ExportLevel, Profile } from '../../protocol/profile.ts'
import { undescribed } from '../description.ts'
import { sendProblems } from '../outcome-answer.ts'
import { describedKickOff } from './kick-off-description.ts'

/** A path that starts exports. Which methods do depends on the tenant's profile: `requireCaller` refuses the others. */
export function kickOffPath(
  scope: FastifyInstance,
  path: string,
  level: ExportLevel,
  handler: RouteHandlerMethod,
): void {
  // The size of its body does not tell what a Group costs.
  const config = { kickOff: level, audit: 'kick-off', costly: level === 'group' } as const
  for (const method of ['GET', 'POST'] as const) {
    const schema = describedKickOff(level, method)
    scope.route({ method, url: path, config, schema, exposeHeadRoute: false, handler })
  }
  scope.route({ method: ['HEAD', 'PUT', 'PATCH', 'DELETE'], url: path, config, schema: undescribed, handler })
}

/** Whether the request is to a path that starts exports, by a method that the profile does not serve there. */
export function isUnserved({ method, routeOptions }: FastifyRequest, { kickOffMethods }: Profile): boolean {
  const { kickOff } = routeOptions.config
  return kickOff !== undefined && !(kickOffMethods[kickOff] as readonly string[]).includes(method)
}

/** D1, D4, D5, T-152, T-153: 405 for a method that starts nothing, 404 for a level that is not served. HEAD must not start an export. */
export function refuseMethod(request: FastifyRequest, reply: FastifyReply, profile: Profile): FastifyReply {
  const { method, routeOptions } = request
  const served = profile.kickOffMethods[routeOptions.config.kickOff!].join(', ')
  if (served === '') {
    const found = problem(404, 'not-found', `There is nothing at ${method} of this path.`)
    return sendProblems(reply, [found], profile)
  }
  const found = problem(405, 'not-supported', `${method} is not supported here.`, {
    diagnostics: `Allowed: ${served}.`,
  })
  return sendProblems(reply.header('Allow', served), [found], profile)
}
