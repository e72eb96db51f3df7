import { randomUUID } from 'node:crypto'
import { type CryptoKey, errors, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import { fhirBase, tokenIssuer } from '../../fhir/service-urls.ts'
import { scopeList } from '../scope.ts'
import { type SigningKeys, signingAlgorithms } from './signing-key.ts'

/** The life of an access token, unless the operator says otherwise (B16). */
export const tokenSecondsDefault = 300
/** The least and the greatest life that can be chosen; the greatest is Oracle's. */
export const tokenSecondsMin = 60
export const tokenSecondsMax = 570
/** Marks our tokens, so that no other JWT passes for one (RFC 9068). */
const tokenType = 'at+jwt'

/** A token that is valid, with its times in seconds since 1970. */
export interface VerifiedToken extends TokenHolder {
  readonly issued: number
  readonly expires: number
}

/** Whom a token was given to, and for what. `tenant` rides in the claim of that name, scopes in `scope`. */
export interface TokenHolder {
  readonly tenant: string
  readonly client: string
  readonly scopes: readonly string[]
}

/** Signs an access token that is valid for `tokenSeconds` from `now` on. */
export function signAccessToken(
  holder: TokenHolder,
  context: {
    readonly keys: SigningKeys
    readonly publicUrl: string
    readonly now: Date
    readonly tokenSeconds: number
  },
): Promise<string> {
  const issued = Math.floor(context.now.getTime() / 1000)
  return new SignJWT({ client_id: holder.client, tenant: holder.tenant, scope: holder.scopes.join(' ') })
    .setProtectedHeader({ alg: context.keys.algorithm, kid: context.keys.kid, typ: tokenType })
    .setIssuer(tokenIssuer(context.publicUrl, holder.tenant))
    .setSubject(holder.client)
    .setAudience(fhirBase(context.publicUrl, holder.tenant))
    .setIssuedAt(issued)
    .setExpirationTime(issued + context.tokenSeconds)
    .setJti(randomUUID())
    .sign(context.keys.privateKey)
}

/**
 * Reads an access token of any tenant of this server. `expired` is said only of a token whose signature is ours;
 * everything else that is wrong (algorithm, key, issuer, audience, shape) is `invalid` (T-135, T-136).
 */
export async function verifyAccessToken(
  token: string,
  context: { readonly keys: SigningKeys; readonly publicUrl: string; readonly now: Date },
): Promise<VerifiedToken | 'expired' | 'invalid'> {
  try {
    const { payload } = await jwtVerify(token, ({ kid, alg }) => keyOf(context.keys, kid, alg), {
      algorithms: [...signingAlgorithms],
      typ: tokenType,
      currentDate: context.now,
      requiredClaims: ['exp', 'iat', 'iss', 'aud', 'sub'],
    })
    return holderOf(payload, context.publicUrl) ?? 'invalid'
  } catch (error) {
    if (error instanceof errors.JWTExpired) return 'expired'
    if (error instanceof errors.JOSEError) return 'invalid'
    throw error
  }
}

function keyOf(keys: SigningKeys, kid: string | undefined, algorithm: string | undefined): CryptoKey {
  const verifier = keys.verifiers.get(kid ?? '')
  if (!verifier || verifier.algorithm !== algorithm) throw new errors.JWKSNoMatchingKey()
  return verifier.key
}

function holderOf(payload: JWTPayload, publicUrl: string): VerifiedToken | undefined {
  const { tenant, scope, sub, iss, aud, iat, exp } = payload
  if (typeof tenant !== 'string' || typeof scope !== 'string' || typeof sub !== 'string') return undefined
  if (iss !== tokenIssuer(publicUrl, tenant) || aud !== fhirBase(publicUrl, tenant)) return undefined
  return { tenant, client: sub, scopes: scopeList(scope), issued: iat!, expires: exp! }
}
