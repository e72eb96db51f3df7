import type { FastifyInstance, FastifyRequest } from 'fastify'
import { networkOf } from '../../access/network-of.ts'
import { isTenantId } from '../../access/registry/tenant.ts'
import { type AuditAgent, type AuditEntry, type AuditKind, storeChain } from '../../audit/entry.ts'
import { knownCallerOf, profileOf } from '../caller.ts'
import type { HttpContext } from '../context.ts'
import { isUnserved } from '../kick-off/kick-off-methods.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a request to the route is in the audit trail: its refusals are recorded here, its success by its handler. */
    readonly audit?: AuditKind
  }
}

type Event = Pick<AuditEntry, 'kind' | 'outcome'> & Partial<AuditEntry>

/** An entry about a request of a known caller: who, from where, under which request id. */
export function auditOf(request: FastifyRequest, event: Event): AuditEntry {
  const caller = knownCallerOf(request)
  const agent: AuditAgent = caller ? { kind: 'client', id: caller.grant.client } : { kind: 'stranger' }
  return { tenant: caller?.tenant ?? storeChain, agent, address: request.ip, request: request.id, ...event }
}

/** Issue codes of an answer that an entry names. */
const codesNamedMax = 5

/**
 * Records the refusals of a scope: of every route when the token is not accepted, of the audited routes whatever the reason. The texts
 * of the answer may quote the request, so only its codes are kept; the request id leads to the log. The answer goes out as it is, whatever
 * becomes of its entry.
 */
export function auditRefusals(scope: FastifyInstance, context: HttpContext): void {
  scope.addHook('onSend', async (request, reply, payload) => {
    const { audit, open } = request.routeOptions.config
    const caller = knownCallerOf(request)
    if (reply.statusCode < 400 || open || (caller && !audit)) return payload
    // A method that starts nothing is refused before anybody is asked, like every other 405.
    if (isUnserved(request, profileOf(request))) return payload
    const event: Event = {
      kind: audit ?? 'access',
      outcome: reply.statusCode < 500 ? 'refused' : 'failed',
      detail: { method: request.method, route: request.routeOptions.url ?? '', status: reply.statusCode },
      ...reasonOf(payload),
      ...(caller ? {} : await addressed(request, context)),
    }
    keepRefusal(request, context, event)
    return payload
  })
}

/** Records a refusal by the `status` of its detail: those of 429 are counted only, of the others the first few of a kind are kept whole. */
export function keepRefusal(request: FastifyRequest, { audit }: HttpContext, event: Event): void {
  const entry = auditOf(request, event)
  if (event.detail?.status === 429) audit.count(entry)
  else audit.note(entry, networkOf(request.ip))
}

function reasonOf(payload: unknown): { reason?: string } {
  if (typeof payload !== 'string' || !payload.startsWith('{')) return {}
  const { issue = [] } = JSON.parse(payload) as { issue?: { code: string }[] }
  return namingCodes(issue.map(({ code }) => code))
}

/** The reason of an entry: the first few different codes of the issues. */
export function namingCodes(codes: readonly string[]): { reason?: string } {
  const different = [...new Set(codes)]
  return different.length === 0 ? {} : { reason: different.slice(0, codesNamedMax).join(', ') }
}

/**
 * The chain of a request whose caller is not known: the tenant's that it names, or the store's when there is none, and when the database
 * cannot tell.
 */
export async function addressed(request: FastifyRequest, context: HttpContext): Promise<{ readonly tenant: string }> {
  const { tenant = '' } = request.params as { tenant?: string }
  if (!isTenantId(tenant)) return { tenant: storeChain }
  const found = await context.directory.tenant(tenant).catch(() => undefined)
  return { tenant: found ? tenant : storeChain }
}
