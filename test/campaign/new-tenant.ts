import { addClient } from '../../src/access/registry/client.ts'
import { generateClientKey } from '../../src/access/registry/client-key.ts'
import { addTenant } from '../../src/access/registry/tenant.ts'
import { requestToken } from '../../src/client/session/token.ts'
import { lastingToken } from '../lasting-token.ts'
import type { Site } from './site.ts'
import { steadily } from './steadily.ts'

const scope = 'system/*.read system/*.write'
const tokenMsMax = 60_000

/** Makes a tenant with one client. @returns an access token of the client, got from the first server */
export async function newTenant({ pool, servers }: Site, tenant: string): Promise<string> {
  await steadily(() => addTenant(pool, { id: tenant, profile: 'millennium' }))
  const { privateKey, publicKey } = await generateClientKey('ES384')
  const keys = { jwks: { keys: [publicKey] } }
  const { id } = await addClient(pool, { tenant, name: 'campaign', scope, keys })
  const { url } = servers[0]!
  const base = `${url}/r4/${tenant}`
  const ask = () =>
    requestToken({ base, clientId: id, key: privateKey, scope, signal: AbortSignal.timeout(tokenMsMax) })
  const { accessToken } = await steadily(ask)
  return steadily(() => lastingToken(accessToken, pool, url))
}
