import { decodeJwt } from 'jose'
import { isClientId } from '../registry/client.ts'
import { assertionCharsMax } from './assertion.ts'
import { readBasic } from './client-authentication.ts'
import type { PostedRequest } from './posted-form.ts'

/**
 * Which client a token request says it comes from, for the audit trail of refusals: the `iss` of its assertion, or the user of HTTP Basic.
 * Nobody has proven it. Whatever cannot be a client id, and may be a secret in the wrong place, gives undefined.
 */
export function claimedClient({
  body,
  authorization,
}: Pick<PostedRequest, 'body' | 'authorization'>): string | undefined {
  const claimed = readBasic(authorization ?? '')?.id ?? assertionIssuer(body)
  return claimed !== undefined && isClientId(claimed) ? claimed : undefined
}

function assertionIssuer(body: string): string | undefined {
  const assertion = new URLSearchParams(body).get('client_assertion') ?? ''
  if (assertion.length > assertionCharsMax) return undefined
  try {
    return decodeJwt(assertion).iss
  } catch {
    return undefined
  }
}
