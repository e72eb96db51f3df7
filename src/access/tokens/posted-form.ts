import { type OAuthError, oauthError } from './oauth-error.ts'

/** A form that was posted to an OAuth endpoint, as it came. */
export interface PostedRequest {
  readonly contentType: string | undefined
  readonly authorization: string | undefined
  readonly body: string
  /** The IP address of the caller. */
  readonly address: string
}

/** Reads a parameter; one without a value counts as absent (RFC 6749 §3.2). */
export type ReadParameter = (name: string) => string | undefined

/** Characters of a form. */
export const formCharsMax = 32_768

/** The parameters of a form, each at most once, or the refusal. */
export function readForm({ contentType, body }: PostedRequest): ReadParameter | OAuthError {
  if (contentType?.split(';')[0]?.trim().toLowerCase() !== 'application/x-www-form-urlencoded') {
    return oauthError('invalid_request', 'Content-Type must be application/x-www-form-urlencoded')
  }
  if (body.length > formCharsMax) return oauthError('invalid_request', 'the request is too long')
  const form = new URLSearchParams(body)
  const seen = new Set<string>()
  const repeated = [...form.keys()].find((name) => seen.size === seen.add(name).size)
  if (repeated !== undefined) return oauthError('invalid_request', `the parameter ${repeated} is repeated`)
  return (name) => form.get(name) || undefined
}
