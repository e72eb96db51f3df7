import { decodeJwt } from 'jose'
import { assertionCharsMax } from './assertion.ts'
import { isClientId } from './client.ts'
import type { PostedRequest } from './posted-form.ts'

/**
 * Which client a token request says it comes from, for the audit trail: the `iss` of its assertion, or the user of HTTP Basic. Only a
 * request that was granted has proven it. Whatever cannot be a client id, and may be a secret in the wrong place, gives undefined.
 */
export function claimedClient({
  body,
  authorization,
}: Pick<PostedRequest, 'body' | 'authorization'>): string | undefined {
  const claimed = basicUser(authorization) ?? assertionIssuer(body)
  return claimed !== undefined && isClientId(claimed) ? claimed : undefined
}

function basicUser(authorization: string | undefined): string | undefined {
  const encoded = /^basic +([A-Za-z0-9+/]{1,8192}=*) *$/i.exec(authorization ?? '')?.[1]
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8').split(':', 1)[0]
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
