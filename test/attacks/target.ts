import type { JWK } from 'jose'
import { addClient } from '../../src/access/registry/client.ts'
import { generateClientKey } from '../../src/access/registry/client-key.ts'
import { hashClientSecret, newClientSecret } from '../../src/access/registry/client-secret.ts'
import { loadSigningKeys } from '../../src/access/tokens/signing-key.ts'
import { type Answer, exchange } from '../scenarios/exchange.ts'
import { type TestClient, TestServer } from '../server.ts'
import { assertionOf, postForm } from '../token-request.ts'

/** A server under attack: what the attacker can see, and what belongs to others. */
export interface Target {
  readonly server: TestServer
  /** The attacker's own client, of tenant `clinic`. It may read patients. */
  readonly client: TestClient
  /** A token of that client. */
  readonly token: string
  /** A client that proves itself by a secret. */
  readonly secretClient: { readonly id: string; readonly secret: string }
  /** A client whose keys lie behind this URL, which is on the loopback. */
  readonly urlClient: { readonly id: string; readonly key: JWK }
  /** A client of the other tenant, `neighbour`. */
  readonly neighbour: TestClient
  /** The server's public signing key. */
  readonly published: JWK
}

/** One attack: what is sent, and the refusal that has to come back: status and code, `401 invalid_client`. */
export interface Attack {
  readonly does: string
  readonly answer: string
  readonly send: (target: Target) => Promise<Answer>
}

export async function openTarget(): Promise<Target> {
  const server = await TestServer.start()
  for (const tenant of ['clinic', 'neighbour']) await server.addTenant(tenant)
  const scope = 'system/Patient.read'
  const client = await server.addClient('clinic', scope)
  const secret = newClientSecret()
  const hashed = { secretHash: await hashClientSecret(secret) }
  const basic = await addClient(server.pool, { tenant: 'clinic', name: 'basic', scope, keys: hashed })
  const { privateKey } = await generateClientKey('ES384')
  // The server itself listens there: it answers, and must not be asked.
  const keys = { jwksUrl: `http://localhost:${new URL(server.url).port}/oauth2/clinic/jwks` }
  const url = await addClient(server.pool, { tenant: 'clinic', name: 'url', scope, keys })
  const signing = await loadSigningKeys(server.pool)
  return {
    server,
    client,
    token: await server.token(client, scope),
    secretClient: { id: basic.id, secret },
    urlClient: { id: url.id, key: privateKey },
    neighbour: await server.addClient('neighbour', scope),
    published: signing.published[0]!,
  }
}

export const endpointOf = ({ server }: Target, tenant = 'clinic'): string => `${server.url}/oauth2/${tenant}/token`

/** Posts a form to the token endpoint. */
export const ask = (target: Target, form: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  postForm(endpointOf(target), form, headers)

/** A correct assertion of the attacker's client. */
export const goodAssertion = (target: Target): Promise<string> => assertionOf(target.client, endpointOf(target))

/** Reads a patient with this `Authorization`; whoever is let in gets a 404. */
export const read = (
  { server }: Target,
  authorization: string | readonly string[] | undefined,
  path = '/r4/clinic/Patient/none',
): Promise<Answer> =>
  exchange({
    method: 'GET',
    url: `${server.url}${path}`,
    headers: authorization === undefined ? {} : { authorization },
  })

/** A part of a JWT. */
export const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
