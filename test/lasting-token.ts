import { decodeJwt } from 'jose'
import type { Pool } from 'pg'
import { signAccessToken } from '../src/access/tokens/access-token.ts'
import { loadSigningKeys } from '../src/access/tokens/signing-key.ts'

const daySeconds = 86_400

/** What an access token of a server says, signed anew for a day: on a slow machine a test takes longer than the server's tokens live. */
export async function lastingToken(accessToken: string, pool: Pool, publicUrl: string): Promise<string> {
  const { tenant, sub, scope } = decodeJwt(accessToken)
  const holder = { tenant: String(tenant), client: String(sub), scopes: String(scope).split(' ') }
  const keys = await loadSigningKeys(pool)
  return signAccessToken(holder, { keys, publicUrl, now: new Date(), tokenSeconds: daySeconds })
}
