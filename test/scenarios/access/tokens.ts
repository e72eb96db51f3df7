import assert from 'node:assert/strict'
import { decodeJwt, type JWK } from 'jose'
import { addClient } from '../../../src/access/registry/client.ts'
import { generateClientKey } from '../../../src/access/registry/client-key.ts'
import { hashClientSecret, newClientSecret } from '../../../src/access/registry/client-secret.ts'
import { assertionOf, basic, type Forgery, oauthBody, postForm, tokenForm } from '../../token-request.ts'
import { type Answer, exchange } from '../exchange.ts'
import type { Scenario } from '../scenario.ts'
import type { Caller, ScenarioSuite } from '../suite.ts'

const endpointOf = (suite: ScenarioSuite, tenant = 'clinic') => `${suite.server.url}/oauth2/${tenant}/token`
const introspectionOf = (suite: ScenarioSuite, tenant = 'clinic') => `${suite.server.url}/oauth2/${tenant}/introspect`

/** RFC 6749 §5.2 and B25: what every refusal of an OAuth endpoint must have. */
function checkRefusal(answer: Answer, status: number, error: string): void {
  const body = oauthBody(answer)
  assert.deepEqual([answer.status, body.error], [status, error], answer.body.toString('utf8'))
  assert.match(String(body.error_description), /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/)
  assert.match(String(answer.headers['content-type']), /^application\/json/)
  assert.equal(answer.headers['cache-control'], 'no-store')
  assert.equal(answer.headers.pragma, 'no-cache')
}

const refusedAssertion = (does: string, forge: (caller: Caller) => Forgery | Promise<Forgery>): Scenario => ({
  t: [193],
  rules: ['B9', 'B10', 'B11', 'B13'],
  does: `a token request: ${does}`,
  outcome: '401 invalid_client',
  run: async (suite) => {
    const caller = await suite.newCaller()
    const url = endpointOf(suite)
    const assertion = await assertionOf(caller.client, url, await forge(caller))
    checkRefusal(await postForm(url, tokenForm(assertion)), 401, 'invalid_client')
  },
})

const seconds = () => Math.floor(Date.now() / 1000)

/** A client with these keys, in place of the one that `ScenarioSuite` makes. */
async function clientWith(suite: ScenarioSuite, key: JWK, keys: readonly JWK[]): Promise<{ id: string; key: JWK }> {
  const registered = { jwks: { keys: [keys[0]] } }
  const client = await addClient(suite.server.pool, {
    tenant: 'clinic',
    name: 'keys',
    scope: 'system/*.read',
    keys: registered,
  })
  // The registration refuses what a test may want to see refused later.
  await suite.server.pool.query('update client set jwks = $2 where id = $1', [client.id, { keys }])
  return { id: client.id, key }
}

const refusedForm = (
  does: string,
  change: Readonly<Record<string, string>>,
  error: string,
  send: (url: string, form: string) => Promise<Answer> = postForm,
  status = 400,
): Scenario => ({
  t: [195],
  rules: ['B7', 'B14'],
  does: `a token request: ${does}`,
  outcome: `${status} ${error}`,
  run: async (suite) => {
    const { client } = await suite.sharedCaller()
    const url = endpointOf(suite)
    checkRefusal(await send(url, tokenForm(await assertionOf(client, url), change)), status, error)
  },
})

const granted = (t: 194, does: string, scope: string, expected: string | undefined): Scenario => ({
  t: [t],
  rules: ['B14', 'B15', 'B18'],
  does: `a token request with ${does}`,
  outcome: expected === undefined ? '400 invalid_scope' : `200 ${expected}`,
  run: async (suite) => {
    const { client } = await suite.sharedCaller('clinic', 'system/Patient.read system/Goal.read')
    const url = endpointOf(suite)
    const answer = await postForm(url, tokenForm(await assertionOf(client, url), { scope }))
    if (expected === undefined) return checkRefusal(answer, 400, 'invalid_scope')
    const { access_token, ...rest } = oauthBody(answer)
    assert.deepEqual(rest, { token_type: 'bearer', expires_in: 300, scope: expected })
    assert.equal(decodeJwt(String(access_token)).scope, expected)
    assert.equal(answer.headers['cache-control'], 'no-store')
  },
})

async function introspect(
  suite: ScenarioSuite,
  caller: Caller,
  token: string,
): Promise<Readonly<Record<string, unknown>>> {
  const body = new URLSearchParams({ token }).toString()
  const answer = await postForm(introspectionOf(suite, caller.tenant), body, {
    authorization: `Bearer ${caller.token}`,
  })
  assert.equal(answer.status, 200, answer.body.toString('utf8'))
  assert.equal(answer.headers['cache-control'], 'no-store')
  return oauthBody(answer)
}

/** T-193…T-196: token requests and introspection. */
export const tokenScenarios: readonly Scenario[] = [
  refusedAssertion('wrong aud', () => ({ claims: { aud: 'https://authorization.example/token' } })),
  refusedAssertion('exp 6 minutes ahead', () => ({ claims: { exp: seconds() + 360 } })),
  refusedAssertion('expired', () => ({ claims: { exp: seconds() - 60 } })),
  refusedAssertion('iss is not sub', () => ({ claims: { sub: 'another' } })),
  refusedAssertion('unknown kid', () => ({ header: { kid: 'unknown' } })),
  refusedAssertion('jku is not registered', () => ({ header: { jku: 'https://evil.example/jwks.json' } })),
  {
    t: [193],
    rules: ['B10'],
    does: 'a token request: reran jti',
    outcome: '200, then 401 invalid_client',
    run: async (suite) => {
      const { client } = await suite.newCaller()
      const url = endpointOf(suite)
      const form = tokenForm(await assertionOf(client, url))
      assert.equal((await postForm(url, form)).status, 200)
      checkRefusal(await postForm(url, form), 401, 'invalid_client')
    },
  },
  {
    t: [193],
    rules: ['B11'],
    does: 'a token request: two keys with one kid',
    outcome: '401 invalid_client',
    run: async (suite) => {
      const url = endpointOf(suite)
      const [one, other] = [await generateClientKey('ES384'), await generateClientKey('ES384')]
      const twins = [one.publicKey, { ...other.publicKey, kid: String(one.publicKey.kid) }]
      const client = await clientWith(suite, one.privateKey, twins)
      checkRefusal(await postForm(url, tokenForm(await assertionOf(client, url))), 401, 'invalid_client')
    },
  },
  {
    t: [193],
    rules: ['B4'],
    does: 'a token request: RS256, and RS384 with the same key',
    outcome: '401 invalid_client, 200',
    run: async (suite) => {
      const url = endpointOf(suite)
      const { privateKey, publicKey } = await generateClientKey('RS384')
      const client = await clientWith(suite, privateKey, [publicKey])
      const ask = async (alg: string) =>
        postForm(url, tokenForm(await assertionOf(client, url, { key: { ...privateKey, alg } })))
      checkRefusal(await ask('RS256'), 401, 'invalid_client')
      assert.equal((await ask('RS384')).status, 200)
    },
  },
  granted(194, 'unknown scopes only', 'openid launch/patient', undefined),
  granted(194, 'scopes that are partly unknown', 'openid system/Patient.read nonsense', 'system/Patient.read'),
  granted(194, 'scopes beyond the registration', 'system/Patient.read system/Observation.read', 'system/Patient.read'),
  refusedForm('no grant_type', { grant_type: '' }, 'invalid_request'),
  refusedForm('grant_type password', { grant_type: 'password' }, 'unsupported_grant_type'),
  refusedForm('grant_type authorization_code', { grant_type: 'authorization_code' }, 'unsupported_grant_type'),
  refusedForm('a JSON body', {}, 'invalid_request', (url, form) =>
    postForm(url, JSON.stringify(Object.fromEntries(new URLSearchParams(form))), {
      'content-type': 'application/json',
    }),
  ),
  refusedForm(
    'GET',
    {},
    'invalid_request',
    (url, form) => exchange({ method: 'GET', url: `${url}?${form}`, headers: {} }),
    405,
  ),
  refusedForm('a body of 33 kB', { padding: 'x'.repeat(33_000) }, 'invalid_request', postForm, 413),
  {
    t: [196],
    rules: ['B23'],
    does: 'introspection of a live token, by bearer token',
    outcome: 'active, with scope, client_id and exp',
    run: async (suite) => {
      const caller = await suite.newCaller()
      const { iat, exp, ...rest } = await introspect(suite, caller, caller.token)
      assert.deepEqual(rest, {
        active: true,
        scope: decodeJwt(caller.token).scope,
        client_id: caller.client.id,
        sub: caller.client.id,
        token_type: 'bearer',
        iss: `${suite.server.url}/oauth2/clinic`,
        aud: suite.base('clinic'),
      })
      assert.deepEqual([exp, iat], [decodeJwt(caller.token).exp, decodeJwt(caller.token).iat])
    },
  },
  {
    t: [196],
    rules: ['B23', 'B24'],
    does: 'introspection by an assertion, and by HTTP Basic',
    outcome: 'active',
    run: async (suite) => {
      const caller = await suite.newCaller()
      const url = introspectionOf(suite)
      const { client_assertion_type, client_assertion } = Object.fromEntries(
        new URLSearchParams(tokenForm(await assertionOf(caller.client, url))),
      )
      const form = {
        token: caller.token,
        client_assertion_type: client_assertion_type!,
        client_assertion: client_assertion!,
      }
      assert.equal(oauthBody(await postForm(url, new URLSearchParams(form).toString())).active, true)

      const secret = newClientSecret()
      const keys = { secretHash: await hashClientSecret(secret) }
      const registration = { tenant: 'clinic', name: 'basic', scope: 'system/Patient.read', keys }
      const { id } = await addClient(suite.server.pool, registration)
      const authorization = basic(id, secret)
      const body = new URLSearchParams({ token: caller.token }).toString()
      assert.equal(oauthBody(await postForm(url, body, { authorization })).active, true)
      checkRefusal(await postForm(url, body, { authorization: basic(id, 'guess') }), 401, 'invalid_client')
      checkRefusal(await postForm(url, body, { authorization: 'Bearer guess' }), 401, 'invalid_client')
      checkRefusal(await postForm(url, body), 400, 'invalid_request')
      checkRefusal(await postForm(url, '', { authorization }), 400, 'invalid_request')
    },
  },
  {
    t: [196],
    rules: ['B23'],
    does: 'introspection of tokens that are expired, of another tenant, of a disabled client, foreign, or none',
    outcome: 'active false, and nothing else',
    run: async (suite) => {
      const caller = await suite.newCaller()
      const gone = await suite.newCaller()
      await suite.server.pool.query('update client set disabled = now() where id = $1', [gone.client.id])
      const neighbour = await suite.sharedCaller('neighbour')
      const tokens = [
        await suite.signedToken(caller, {}, { now: new Date(Date.now() - 3_600_000) }),
        await suite.signedToken(caller, {}, { publicUrl: 'https://else.example' }),
        gone.token,
        neighbour.token,
        await assertionOf(caller.client, endpointOf(suite)),
        'garbage',
      ]
      for (const token of tokens) assert.deepEqual(await introspect(suite, caller, token), { active: false })
    },
  },
]
