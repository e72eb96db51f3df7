import type { Grant } from '../export/grant.ts'
import { type Problem, problem } from '../export/problem.ts'
import { verifyAccessToken } from './access-token.ts'
import type { AccessDirectory } from './directory.ts'
import { grantOf } from './scope.ts'

/** Characters of an `Authorization` header. */
const authorizationCharsMax = 8192

/** A refusal and the value of the `WWW-Authenticate` header that goes with it (B26). */
export interface Challenge extends Problem {
  readonly challenge: string
}

/** What a bearer check needs. `tenant` is the path segment, known or not; `wildcards` is the profile's D26. */
export interface BearerContext {
  readonly directory: AccessDirectory
  readonly publicUrl: string
  readonly tenant: string
  readonly wildcards: boolean
  readonly now: Date
}

const headerPattern = /^bearer +([A-Za-z0-9._~+/-]+=*) *$/i

/**
 * Who is calling, by the `Authorization` header: a Grant, or the refusal to answer with. First the token (401), then its
 * tenant against the path's (403, T-137, T-138), then the system persona (403, S-51).
 */
export async function authenticate(
  authorization: string | undefined,
  context: BearerContext,
): Promise<Grant | Challenge> {
  const { directory, publicUrl, now, tenant } = context
  if (authorization === undefined) return unauthorized(publicUrl, 'login', 'An access token is required')
  const token = bearerTokenOf(authorization)
  if (token === undefined) return unauthorized(publicUrl, 'unknown', 'The Authorization header holds no bearer token')

  const holder = await verifyAccessToken(token, { keys: await directory.signingKeys(), publicUrl, now })
  if (holder === 'expired') return unauthorized(publicUrl, 'expired', 'The access token has expired', 'invalid_token')
  if (holder === 'invalid') return unauthorized(publicUrl, 'unknown', 'The access token is not valid', 'invalid_token')
  const client = await directory.client(holder.client)
  if (!client || client.disabled || client.tenant !== holder.tenant) {
    return unauthorized(publicUrl, 'unknown', 'The client of this access token is not active', 'invalid_token')
  }

  // A client's tenant exists, so a path that names another one or none at all gets the same answer.
  if (holder.tenant !== tenant) return forbidden(publicUrl, 'Tenant not valid or accessible')
  const grant = grantOf(holder.tenant, holder.client, holder.scopes, context)
  return grant.system ? grant : forbidden(publicUrl, 'System authorization is required: the token has no system/ scope')
}

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
