import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { importJWK } from 'jose'
import * as oidc from 'openid-client'
import { addClient } from '../src/access/registry/client.ts'
import { hashClientSecret, newClientSecret } from '../src/access/registry/client-secret.ts'
import { TestServer } from './server.ts'

let server: TestServer
before(async () => {
  server = await TestServer.start(['--token-seconds', '570'])
  await server.addTenant('clinic')
})
after(() => server.stop())

/** A foreign client library finds the server by its discovery document, as any client would. */
const discover = (id: string, way: oidc.ClientAuth) =>
  oidc.discovery(new URL(`${server.base('clinic')}/.well-known/smart-configuration`), id, undefined, way, {
    execute: [oidc.allowInsecureRequests],
  })

const scope = 'system/Patient.read'

async function privateKeyJwt() {
  const { id, key } = await server.addClient('clinic', scope)
  const signer = await importJWK(key, 'ES384')
  assert.ok('type' in signer)
  return discover(id, oidc.PrivateKeyJwt({ key: signer, kid: String(key.kid) }))
}

async function secretBasic() {
  const secret = newClientSecret()
  const keys = { secretHash: await hashClientSecret(secret) }
  const { id } = await addClient(server.pool, { tenant: 'clinic', name: 'basic', scope, keys })
  return { id, secret, configuration: await discover(id, oidc.ClientSecretBasic(secret)) }
}

test('openid-client gets a token by private_key_jwt, and the token opens the server', async () => {
  const configuration = await privateKeyJwt()
  const token = await oidc.clientCredentialsGrant(configuration, { scope })
  assert.deepEqual([token.token_type, token.expires_in, token.scope], ['bearer', 570, scope])
  const url = new URL(`${server.base('clinic')}/Patient/none`)
  const answer = await oidc.fetchProtectedResource(configuration, token.access_token, url, 'GET')
  assert.equal(answer.status, 404)
})

test('openid-client gets a token by client_secret_basic, and introspects it', async () => {
  const { id, configuration } = await secretBasic()
  const token = await oidc.clientCredentialsGrant(configuration, { scope })
  const state = await oidc.tokenIntrospection(configuration, token.access_token)
  assert.deepEqual([state.active, state.client_id, state.scope], [true, id, scope])
  assert.deepEqual(await oidc.tokenIntrospection(configuration, 'another'), { active: false })
})

test('openid-client understands what is refused', async () => {
  const { id } = await secretBasic()
  const wrong = await discover(id, oidc.ClientSecretBasic('guess'))
  await assert.rejects(oidc.clientCredentialsGrant(wrong, { scope }), (error: Error & { cause?: unknown }) => {
    const [challenge] = error.cause as { scheme: string }[]
    return challenge?.scheme === 'basic'
  })
  const { configuration } = await secretBasic()
  await assert.rejects(oidc.clientCredentialsGrant(configuration, { scope: 'system/Goal.read' }), {
    error: 'invalid_scope',
  })
})
