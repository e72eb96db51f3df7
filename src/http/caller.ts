import type { FastifyInstance, FastifyRequest } from 'fastify'
import { authenticate } from '../access/bearer.ts'
import { fhirBase } from '../fhir/service-urls.ts'
import type { Grant } from '../protocol/grant.ts'
import { type ExportLevel, type Profile, profiles, servedAs } from '../protocol/profile.ts'
import { heldBytesOf } from './bytes/counted-bytes.ts'
import type { HttpContext } from './context.ts'
import { isUnserved, refuseMethod } from './kick-off/kick-off-methods.ts'
import { sendProblems } from './outcome-answer.ts'
import { costOf, type RateLimits, sendThrottled } from './rates.ts'

/** Who calls, of which tenant, and how that tenant is served. */
export interface Caller {
  readonly grant: Grant
  readonly tenant: string
  /** The tenant's public FHIR base. */
  readonly base: string
  readonly profile: Profile
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Nobody has to say who calls: the answer is the same to everybody. */
    readonly open?: boolean
    /** The path starts exports of this level, by the methods that the tenant's profile serves. */
    readonly kickOff?: ExportLevel
  }
}

const callers = new WeakMap<FastifyRequest, Caller>()
const served = new WeakMap<FastifyRequest, Profile>()

/** The caller of a request to a protected route. */
export const callerOf = (request: FastifyRequest): Caller => callers.get(request)!

/** The caller of any request; undefined where nobody is known, or not yet. */
export const knownCallerOf = (request: FastifyRequest): Caller | undefined => callers.get(request)

/** Lets a caller in who is known. */
export function letIn(request: FastifyRequest, caller: Caller): void {
  callers.set(request, caller)
  served.set(request, caller.profile)
}

/** How the tenant of the path is served; the default where that is not known yet. */
export const profileOf = (request: FastifyRequest): Profile => served.get(request) ?? profiles.millennium

/** How a tenant is served; one that does not exist as the default. */
export async function profileOfTenant({ directory }: HttpContext, tenant: string): Promise<Profile> {
  return servedAs(await directory.tenant(tenant))
}

/**
 * Protects all routes of the scope that are not open: before a body is read, the bearer token is checked (protocol §2.6). Who is known
 * is counted as a client, others by their address, so that wrong tokens do not use up what a client may ask.
 */
export function requireCaller(scope: FastifyInstance, context: HttpContext, limits: RateLimits): void {
  scope.addHook('onRoute', (route) => {
    if (!route.config?.open) route.config = { ...route.config, countedBy: 'client' }
  })
  scope.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.config.open) return
    const { tenant } = request.params as { tenant: string }
    const profile = await profileOfTenant(context, tenant)
    served.set(request, profile)
    if (isUnserved(request, profile)) {
      const seconds = limits.address(request)
      return seconds === undefined ? refuseMethod(request, reply, profile) : sendThrottled(reply, seconds, profile)
    }
    const grant = await authenticate(request.headers.authorization, {
      directory: context.directory,
      outside: context.outside,
      publicUrl: context.publicUrl,
      tenant,
      wildcards: profile.wildcardScopes,
      now: new Date(),
    })
    if (!('status' in grant)) {
      letIn(request, { grant, tenant, base: fhirBase(context.publicUrl, tenant), profile })
      heldBytesOf(request).paidBy({ kind: 'client', tenant, client: grant.client })
    }
    const seconds = 'status' in grant ? limits.address(request) : limits.client(grant.client)
    if (seconds !== undefined) return sendThrottled(reply, seconds, profile)
    if ('status' in grant) {
      if ('challenge' in grant) reply.header('WWW-Authenticate', grant.challenge)
      return sendProblems(reply, [grant], profile)
    }
  })
  // A body counts when it has come: one that nobody reads costs nothing.
  scope.addHook('preHandler', async (request) => {
    const caller = knownCallerOf(request)
    if (caller) limits.charge(caller.grant.client, costOf({ bodyBytes: bytesOf(request.body) }))
  })
}

const bytesOf = (body: unknown): number => (body instanceof Buffer ? body.length : 0)
