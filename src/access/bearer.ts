import type { Grant } from '../protocol/grant.ts'
import { type Problem, problem } from '../protocol/problem.ts'
import type { AccessDirectory } from './directory.ts'
import { issuerNamed, type OutsideIssuers } from './issuers/outside-issuers.ts'
import { grantOf } from './scope.ts'
import { type TokenHolder, verifyAccessToken } from './tokens/access-token.ts'

/** Characters of an `Authorization` header. */
const authorizationCharsMax = 8192

/** A refusal and the value of the `WWW-Authenticate` header that goes with it (B26). */
export interface Challenge extends Problem {
  readonly challenge: string
}

/** What a bearer check needs. `tenant` is the path segment, known or not; `wildcards` is the profile's D26. */
export interface BearerContext {
  readonly directory: AccessDirectory
  readonly outside: OutsideIssuers
  readonly publicUrl: string
  readonly tenant: string
  readonly wildcards: boolean
  readonly now: Date
}

const headerPattern = /^bearer +([A-Za-z0-9._~+/-]+=*) *$/i

/**
 * Who is calling, by the `Authorization` header: a Grant, or the refusal to answer with. First the token (401), then its
 * tenant against the path's (403, T-137, T-138), then the system persona (403, S-51). 503 when another issuer has to be asked and does not
 * answer.
 */
export async function authenticate(
  authorization: string | undefined,
  context: BearerContext,
): Promise<Grant | Challenge | Problem> {
  const { publicUrl } = context
  if (authorization === undefined) return unauthorized(publicUrl, 'login', 'An access token is required')
  const token = bearerTokenOf(authorization)
  if (token === undefined) return unauthorized(publicUrl, 'unknown', 'The Authorization header holds no bearer token')

  const holder = await holderOf(token, context)
  if ('status' in holder) return holder
  const grant = grantOf(holder.tenant, holder.client, holder.scopes, context)
  return grant.system ? grant : forbidden(publicUrl, 'System authorization is required: the token has no system/ scope')
}

/** Whom a token was given to, for the tenant of the path: by us, or by an issuer that the tenant trusts. */
async function holderOf(token: string, context: BearerContext): Promise<TokenHolder | Challenge | Problem> {
  const { publicUrl, tenant } = context
  const isOurs = issuerNamed(token)?.startsWith(`${publicUrl}/oauth2/`)
  const verdict = isOurs ? undefined : await context.outside.verdict(token, tenant)
  if (verdict === undefined) return ownHolder(token, context)
  if (verdict === 'unavailable') {
    return { ...problem(503, 'transient', 'The issuer of the access token cannot be asked now'), severity: 'fatal' }
  }
  if (verdict === 'expired') return expired(publicUrl)
  if (verdict === 'invalid') return invalid(publicUrl)
  if (verdict === 'tenant') return forbidden(publicUrl, tenantText)
  return { tenant, ...verdict }
}

async function ownHolder(token: string, context: BearerContext): Promise<TokenHolder | Challenge> {
  const { directory, publicUrl, now, tenant } = context
  const holder = await verifyAccessToken(token, { keys: await directory.signingKeys(), publicUrl, now })
  if (holder === 'expired') return expired(publicUrl)
  if (holder === 'invalid') return invalid(publicUrl)
  const client = await directory.client(holder.client)
  if (!client || client.disabled || client.tenant !== holder.tenant) {
    return unauthorized(publicUrl, 'unknown', 'The client of this access token is not active', 'invalid_token')
  }
  // A client's tenant exists, so a path that names another one or none at all gets the same answer.
  return holder.tenant === tenant ? holder : forbidden(publicUrl, tenantText)
}

const tenantText = 'Tenant not valid or accessible'
const expired = (publicUrl: string) =>
  unauthorized(publicUrl, 'expired', 'The access token has expired', 'invalid_token')
const invalid = (publicUrl: string) =>
  unauthorized(publicUrl, 'unknown', 'The access token is not valid', 'invalid_token')

/** The token of an `Authorization` header of the bearer scheme. */
export const bearerTokenOf = (authorization: string): string | undefined =>
  authorization.length <= authorizationCharsMax ? headerPattern.exec(authorization)?.[1] : undefined

/** Builds a challenge of the bearer scheme (RFC 6750). `description` must not contain quotes or backslashes. */
export function bearerChallenge(
  publicUrl: string,
  error?: 'invalid_token' | 'insufficient_scope',
  description?: string,
): string {
  const parts = [`realm="${new URL(publicUrl).host}"`]
  if (error !== undefined) parts.push(`error="${error}"`)
  if (description !== undefined) parts.push(`error_description="${description}"`)
  return `Bearer ${parts.join(', ')}`
}

function unauthorized(
  publicUrl: string,
  code: 'login' | 'unknown' | 'expired',
  text: string,
  error?: 'invalid_token',
): Challenge {
  const challenge = bearerChallenge(publicUrl, error, error && text)
  return { ...problem(401, code, text, { diagnostics: challenge }), challenge }
}

function forbidden(publicUrl: string, text: string): Challenge {
  return { ...problem(403, 'forbidden', text), challenge: bearerChallenge(publicUrl, 'insufficient_scope', text) }
}
