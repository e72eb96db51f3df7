import {
  type CryptoKey,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  jwtVerify,
  type ProtectedHeaderParameters,
} from 'jose'
import type { Queryable } from '../../database/queryable.ts'
import type { KeySets } from '../issuers/key-sets.ts'
import { type Client, findClient } from '../registry/client.ts'
import { isClientAlgorithm } from '../registry/client-key.ts'
import { kidCharsMax } from '../registry/client-key-set.ts'

/** Characters of a client assertion. */
export const assertionCharsMax = 8_192
/** How far ahead the expiry of an assertion may lie (B9). */
const assertionSecondsMax = 300
/** How far the clocks of a client and a server may differ (B25). */
const clockSecondsMax = 30
const jtiCharsMax = 256
/**
 * How long a used assertion is remembered. It lives for 6 minutes at most by the clock of one server; by that of another as much longer as
 * their clocks differ. A day bears any wrong time zone.
 */
const usedSecondsMin = 86_400
/** Used assertions that one token request clears away after their expiry. */
const sweptRowsMax = 100

/** What the check of an assertion needs. `audiences` are the names of this server that `aud` may hold. */
export interface AssertionContext {
  readonly database: Queryable
  readonly keySets: KeySets
  readonly tenant: string
  readonly audiences: readonly string[]
  readonly now: Date
}

interface Claims {
  readonly client: string
  readonly jti: string
}

/**
 * Authenticates a client by its `private_key_jwt` assertion (B8–B13) and uses up its `jti`: the second of two
 * assertions with one jti is refused, on whichever server and however close together they come.
 * Returns the client, or why it is not authenticated.
 */
export async function authenticateByAssertion(assertion: string, context: AssertionContext): Promise<Client | string> {
  const decoded = decode(assertion)
  if (typeof decoded === 'string') return decoded
  const { header, payload } = decoded
  const { alg, kid, jku } = header
  if (!isClientAlgorithm(alg)) return 'alg must be RS384 or ES384'
  if (typeof kid !== 'string' || kid === '' || kid.length > kidCharsMax) return 'kid is missing or too long'
  const claims = checkClaims(payload, context)
  if (typeof claims === 'string') return claims

  const client = await findClient(context.database, claims.client)
  if (!client || client.tenant !== context.tenant) return 'iss is not a client of this tenant'
  if (client.disabled) return 'the client is disabled'
  if (client.keys.kind === 'secret') return 'the client is registered with a secret'
  const found = await context.keySets.find(client.keys, { alg, kid, jku })
  if ('reason' in found) return found.reason
  if (!(await isSigned(assertion, found.key, alg, context.now))) return 'the signature is wrong'
  if (!(await useOnce(context, claims))) return 'jti was used before'
  return client
}

function decode(assertion: string): { header: ProtectedHeaderParameters; payload: JWTPayload } | string {
  try {
    return { header: decodeProtectedHeader(assertion), payload: decodeJwt(assertion) }
  } catch {
    return 'the assertion is not a JWT'
  }
}

function checkClaims(payload: JWTPayload, { audiences, now }: AssertionContext): Claims | string {
  const { iss, sub, aud, exp, jti, nbf, iat } = payload
  const seconds = now.getTime() / 1000
  const isTime = (claim: unknown): claim is number => typeof claim === 'number' && Number.isFinite(claim)
  if (typeof iss !== 'string' || iss !== sub) return 'iss and sub must both be the client id'
  if (![aud ?? []].flat().some((name) => audiences.includes(name))) return 'aud must be the URL of the token endpoint'
  if (!isTime(exp)) return 'exp is missing'
  if (exp + clockSecondsMax <= seconds) return 'the assertion has expired'
  if (exp - clockSecondsMax > seconds + assertionSecondsMax) return 'exp is more than 5 minutes ahead'
  for (const start of [nbf, iat]) {
    if (start !== undefined && !(isTime(start) && start - clockSecondsMax <= seconds)) return 'iat or nbf is ahead'
  }
  if (typeof jti !== 'string' || jti === '' || jti.length > jtiCharsMax || /\p{Cc}/u.test(jti)) {
    return `jti must be 1 to ${jtiCharsMax} characters`
  }
  return { client: iss, jti }
}

async function isSigned(assertion: string, key: CryptoKey, algorithm: string, now: Date): Promise<boolean> {
  try {
    await jwtVerify(assertion, key, { algorithms: [algorithm], currentDate: now, clockTolerance: clockSecondsMax })
    return true
  } catch (error) {
    // A TypeError means that the key cannot serve the algorithm, for instance a short RSA key.
    if (error instanceof errors.JOSEError || error instanceof TypeError) return false
    throw error
  }
}

/**
 * False when the client has used the jti before. Rows are kept by the clock of the database, which all servers share, and not by the expiry
 * or the clock of who sweeps: a server whose clock is ahead would clear away what the others still accept.
 */
async function useOnce({ database }: AssertionContext, { client, jti }: Claims): Promise<boolean> {
  await database.query(
    `delete from assertion where (client, jti) in
       (select client, jti from assertion where expires < clock_timestamp() order by expires limit ${sweptRowsMax} for update skip locked)`,
  )
  const { rowCount } = await database.query(
    `insert into assertion (client, jti, expires) values ($1, $2, clock_timestamp() + make_interval(secs => ${usedSecondsMin}))
     on conflict do nothing`,
    [client, jti],
  )
  return rowCount === 1
}
