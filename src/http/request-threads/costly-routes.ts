import type { FastifyInstance } from 'fastify'
import { auditEventRoutes } from '../audit/audit-event-routes.ts'
import type { StoreContext } from '../context.ts'
import { groupKickOffRoute } from '../kick-off/group-kick-off.ts'
import { instanceKickOffRoute } from '../kick-off/instance-kick-off.ts'
import { patientKickOffRoute, systemKickOffRoute } from '../kick-off/kick-off.ts'
import type { RateLimits } from '../rates.ts'
import { bundleRoute } from '../records/bundle/bundle-route.ts'
import { conditionalDeleteRoute } from '../records/conditional-delete.ts'
import { conditionalUpdateRoute } from '../records/conditional-update.ts'
import { resourceCreateRoute } from '../records/resource-create.ts'
import { resourceWriteRoutes } from '../records/resource-write.ts'

/** The routes whose requests may cost what would be too long for the answering thread: on it, and on those that it hands them over to. */
export function costlyRoutes(scope: FastifyInstance, context: StoreContext, limits: Pick<RateLimits, 'charge'>): void {
  patientKickOffRoute(scope, context, limits)
  instanceKickOffRoute(scope, context, limits)
  groupKickOffRoute(scope, context, limits)
  systemKickOffRoute(scope, context)
  bundleRoute(scope, context, limits)
  auditEventRoutes(scope, context, limits)
  resourceCreateRoute(scope, context)
  conditionalUpdateRoute(scope, context)
  conditionalDeleteRoute(scope, context)
  resourceWriteRoutes(scope, context)
}
