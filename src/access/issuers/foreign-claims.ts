import { scopeList } from '../scope.ts'
import type { TrustedIssuer } from './trusted-issuer.ts'

type Claims = Readonly<Record<string, unknown>>

/** What a token of another issuer says, once it is believed. */
export interface ForeignHolder {
  readonly client: string
  readonly scopes: readonly string[]
}

const clientCharsMax = 256
const cernerClaims = 'urn:com:cerner:authorization:claims'
const cernerClaims1 = 'urn:cerner:authorization:claims:version:1'

/**
 * Reads the claims of a token whose origin is proven: for whom, for which tenant, for what (§10). Beside the ordinary claims, those of
 * Oracle's tokens are understood, which have neither `aud` nor `scope`. `tenant` means that the token is for another one.
 */
export function readForeignClaims(
  claims: Claims,
  { audience, foreignTenant }: Pick<TrustedIssuer, 'audience' | 'foreignTenant'>,
): ForeignHolder | 'invalid' | 'tenant' {
  const cerner = objectOf(claims[cernerClaims])
  const cerner1 = objectOf(claims[cernerClaims1])
  const tenants = [cerner.tnt, cerner1.tenant].filter((tenant) => tenant !== undefined)
  // RFC 7519 §4.1.3: a token that names other audiences is not for us.
  const audiences = [claims.aud ?? []].flat()
  const isForUs = audience === undefined ? audiences.length === 0 && tenants.length > 0 : audiences.includes(audience)
  if (!isForUs) return 'invalid'
  if (tenants.some((tenant) => tenant !== foreignTenant)) return 'tenant'

  const client = claims.client_id ?? claims.azp ?? claims.cid ?? claims.sub
  if (typeof client !== 'string' || client === '' || client.length > clientCharsMax || /\p{Cc}/u.test(client)) {
    return 'invalid'
  }
  const smart = objectOf(objectOf(cerner1.profiles)['smart-v1'])
  return { client, scopes: scopesOf(claims.scope ?? claims.scp ?? cerner.azs ?? smart.azs) }
}

const objectOf = (value: unknown): Claims =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Claims) : {}

/** A blank-separated text, or a list of texts, as some servers send. */
function scopesOf(value: unknown): readonly string[] {
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value]
  return texts.flatMap((text) => (typeof text === 'string' ? scopeList(text) : []))
}
