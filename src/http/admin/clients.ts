import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type Client, clientPage, findClient, type Registration } from '../../access/registry/client.ts'
import { describeClient, registerClient, removeClient, rotateKeys, switchClient } from '../../administration/clients.ts'
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
import { requireTenant } from './tenants.ts'

const describe = ({ id, tenant, name, scopes, keys, created, disabled }: Client) => ({
  client_id: id,
  tenant,
  name,
  scope: scopes.join(' '),
  ...authenticationOf(keys),
  created,
  disabled: disabled ?? null,
})

/** How a client authenticates: a secret's hash stays where it is. */
function authenticationOf(keys: Client['keys']): object {
  if (keys.kind === 'secret') return { secret: true }
  return keys.kind === 'url' ? { jwks_url: keys.url } : { kids: keys.keys.map(({ kid }) => kid) }
}

/** Clients: list, register, show, disable, enable, change keys, remove. */
export function adminClientRoutes(scope: FastifyInstance, context: HttpContext): void {
  const { pool } = context
  const idOf = (request: FastifyRequest) => requireClient(context, (request.params as { client: string }).client)

  scope.get('/tenants/:tenant/clients', async (request, reply) => {
    const { id: tenant } = await requireTenant(context, (request.params as { tenant: string }).tenant)
    const query = readQuery(request, ['count', 'page'])
    const count = countOf(query)
    const { items, next } = pageOf(await clientPage(pool, tenant, query.page ?? '', count + 1), count, ({ id }) => id)
    return sendJson(reply, 200, { clients: items.map(describe), next })
  })
  scope.post('/tenants/:tenant/clients', async (request, reply) => {
    const { id: tenant } = await requireTenant(context, (request.params as { tenant: string }).tenant)
    const body = readBody(request)
    allowNames(body, ['name', 'scope', 'jwks', 'jwks_url'], 'member')
    const registration = { tenant, name: textOf(body, 'name'), scope: textOf(body, 'scope'), keys: keysOf(body) }
    return sendJson(reply, 201, describe(await registerClient(pool, administratorOf(request), registration)))
  })
  scope.get('/clients/:client', async (request, reply) => {
    const { client, liveJobs, completedJobs } = await describeClient(pool, await idOf(request))
    return sendJson(reply, 200, { ...describe(client), exports: { running: liveJobs, completed: completedJobs } })
  })
  for (const [action, state] of [
    ['disable', 'disabled'],
    ['enable', 'enabled'],
  ] as const) {
    scope.post(`/clients/:client/${action}`, async (request, reply) => {
      const client = await switchClient(pool, administratorOf(request), await idOf(request), state)
      return sendJson(reply, 200, describe(client))
    })
  }
  scope.put('/clients/:client/keys', async (request, reply) => {
    const id = await idOf(request)
    const body = readBody(request)
    allowNames(body, ['jwks', 'jwks_url', 'keep_old'], 'member')
    const keepOld = flagOf(body, 'keep_old')
    const client = await rotateKeys(pool, administratorOf(request), id, { keys: keysOf(body), keepOld })
    return sendJson(reply, 200, describe(client))
  })
  scope.delete('/clients/:client', async (request, reply) => {
    const id = await idOf(request)
    const withJobs = switchOf(readQuery(request, ['with_jobs']), 'with_jobs')
    await removeClient(pool, administratorOf(request), id, withJobs).catch((error) => {
      throw error instanceof Failure ? refusalOf(new Failure(error.message, withJobsAdvice), 409) : error
    })
    return sendJson(reply, 200, { client_id: id, removed: true })
  })
}

const withJobsAdvice = 'Disable it to keep them. If they shall go with it, add with_jobs=true.'

async function requireClient(context: HttpContext, id: string): Promise<string> {
  if (await findClient(context.pool, id)) return id
  throw new AdminRefusal(404, 'There is no such client.', 'GET /admin/tenants/{tenant}/clients lists them.')
}

/** Keys are registered as a key set in the body, or as its URL. */
function keysOf(body: Readonly<Record<string, unknown>>): Registration['keys'] {
  if ('jwks' in body === 'jwks_url' in body) {
    throw new AdminRefusal(400, 'The client needs keys from one place.', 'Give either jwks, a key set, or jwks_url.')
  }
  return 'jwks' in body ? { jwks: body.jwks } : { jwksUrl: textOf(body, 'jwks_url') }
}
