import type { FastifyInstance } from 'fastify'
import { findTenant, type Tenant, tenantPage } from '../../access/registry/tenant.ts'
import { createTenant, describeTenant, removeTenant, reviseTenant } from '../../administration/tenants.ts'
import { Failure } from '../../failure.ts'
import type { HttpContext } from '../context.ts'
import { administratorOf } from './acting-administrator.ts'
import {
  AdminRefusal,
  allowNames,
  countOf,
  flagOf,
  pageOf,
  readBody,
  readQuery,
  refusalOf,
  sendJson,
  switchOf,
  textOf,
} from './admin-answer.ts'

const describe = ({ id, profile, strict, referenceWalk, created }: Tenant) => ({
  tenant: id,
  profile,
  strict,
  references: referenceWalk,
  created,
})

/** @throws AdminRefusal 404 when there is no such tenant. */
export async function requireTenant(context: HttpContext, id: string): Promise<Tenant> {
  const tenant = await findTenant(context.pool, id)
  if (tenant) return tenant
  throw new AdminRefusal(404, 'There is no such tenant.', 'GET /admin/tenants lists them.')
}

/** Tenants: list, add, show, change the profile, remove. */
export function adminTenantRoutes(scope: FastifyInstance, context: HttpContext): void {
  const { pool } = context
  scope.get('/tenants', async (request, reply) => {
    const query = readQuery(request, ['count', 'page'])
    const count = countOf(query)
    const { items, next } = pageOf(await tenantPage(pool, query.page ?? '', count + 1), count, ({ id }) => id)
    return sendJson(reply, 200, { tenants: items.map(describe), next })
  })
  scope.post('/tenants', async (request, reply) => {
    const body = readBody(request)
    allowNames(body, ['tenant', 'profile', 'references', 'strict'], 'member')
    const tenant = { id: textOf(body, 'tenant'), profile: 'millennium', ...changeOf(body) }
    if (await findTenant(pool, tenant.id))
      throw new AdminRefusal(409, 'The tenant exists already.', 'Choose another id.')
    return sendJson(reply, 201, describe(await createTenant(pool, administratorOf(request), tenant)))
  })
  scope.get('/tenants/:tenant', async (request, reply) => {
    const { id } = await requireTenant(context, (request.params as { tenant: string }).tenant)
    const { clients, records, liveJobs, completedJobs, ...tenant } = await describeTenant(pool, id)
    const exports = { running: liveJobs, completed: completedJobs }
    return sendJson(reply, 200, { ...describe(tenant), clients, records, exports })
  })
  scope.patch('/tenants/:tenant', async (request, reply) => {
    const { id } = await requireTenant(context, (request.params as { tenant: string }).tenant)
    const body = readBody(request)
    allowNames(body, ['profile', 'references', 'strict'], 'member')
    return sendJson(reply, 200, describe(await reviseTenant(pool, administratorOf(request), id, changeOf(body))))
  })
  scope.delete('/tenants/:tenant', async (request, reply) => {
    const { id } = await requireTenant(context, (request.params as { tenant: string }).tenant)
    const withData = switchOf(readQuery(request, ['with_data']), 'with_data')
    const { rows } = await removeTenant(pool, administratorOf(request), id, withData).catch((error) => {
      throw error instanceof Failure ? refusalOf(new Failure(error.message, withDataAdvice), 409) : error
    })
    return sendJson(reply, 200, { tenant: id, removed: true, record_rows: rows })
  })
}

const withDataAdvice = 'Removing it removes them all, for ever. If that is meant, add with_data=true.'

/** What a body says about how a tenant is to be served. */
const changeOf = (body: Readonly<Record<string, unknown>>) => ({
  ...('profile' in body ? { profile: textOf(body, 'profile') } : {}),
  ...('references' in body ? { references: textOf(body, 'references') } : {}),
  ...('strict' in body ? { strict: flagOf(body, 'strict') } : {}),
})
