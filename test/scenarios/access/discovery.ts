import assert from 'node:assert/strict'
import { documentedTypes } from '../../../src/fhir/resource-types.ts'
import type { Scenario } from '../scenario.ts'
import type { ScenarioSuite } from '../suite.ts'

/** A JSON document that needs no token. */
async function openDocument(
  suite: ScenarioSuite,
  url: string,
  type: RegExp,
): Promise<Readonly<Record<string, unknown>>> {
  const answer = await suite.send({ method: 'GET', url, headers: {} })
  assert.equal(answer.status, 200)
  assert.match(String(answer.headers['content-type']), type)
  return JSON.parse(answer.body.toString('utf8'))
}

const origin = 'https://app.example.org'

/** T-189, T-190: what is open to everybody. */
export const discoveryScenarios: readonly Scenario[] = [
  {
    t: [189],
    rules: ['B5', 'B6', '§1'],
    does: 'smart-configuration without a token',
    outcome: '200 with what a backend client needs',
    run: async (suite) => {
      const url = `${suite.base('clinic')}/.well-known/smart-configuration`
      const document = await openDocument(suite, url, /^application\/json(;|$)/)
      assert.equal(document.token_endpoint, `${suite.server.url}/oauth2/clinic/token`)
      assert.deepEqual(document.grant_types_supported, ['client_credentials'])
      assert.ok((document.capabilities as string[]).includes('client-confidential-asymmetric'))
      assert.equal(document.introspection_endpoint, `${suite.server.url}/oauth2/clinic/introspect`)
      assert.deepEqual(document.code_challenge_methods_supported, ['S256'])
      assert.deepEqual(document.token_endpoint_auth_methods_supported, ['private_key_jwt', 'client_secret_basic'])
    },
  },
  {
    t: [189],
    rules: ['S-2', '§1', 'D34'],
    does: 'OperationDefinition/patient-export without a token, with and without a tenant',
    outcome: '200, the parameters of the page',
    run: async (suite) => {
      const at = `${suite.server.url}/r4/OperationDefinition/patient-export`
      const urls = [at, `${at}?_format=json`, `${suite.base('clinic')}/OperationDefinition/patient-export?_format=json`]
      for (const url of urls) {
        const definition = await openDocument(suite, url, /^application\/fhir\+json(;|$)/)
        assert.deepEqual(
          [definition.resourceType, definition.url, definition.code, definition.resource],
          ['OperationDefinition', at, 'export', ['Patient']],
        )
        assert.deepEqual([definition.system, definition.type, definition.instance], [false, true, false])
        const parameters = definition.parameter as { name: string; min: number; max: string }[]
        assert.deepEqual(
          parameters.map(({ name, min, max }) => `${name} ${min}..${max}`),
          [
            'patient 1..20000',
            '_type 0..1',
            '_typeFilter 0..1',
            'includeAssociatedData 0..1',
            '_since 0..1',
            '_outputFormat 0..1',
          ],
        )
      }
    },
  },
  {
    t: [189],
    rules: ['§1', '§9', 'C2', 'C5'],
    does: 'metadata without a token',
    outcome: '200, a CapabilityStatement with the 18 types and the operation',
    run: async (suite) => {
      const url = `${suite.base('clinic')}/metadata`
      const statement = await openDocument(suite, url, /^application\/fhir\+json(;|$)/)
      assert.deepEqual(
        [statement.resourceType, statement.kind, statement.fhirVersion],
        ['CapabilityStatement', 'instance', '4.0.1'],
      )
      const [rest] = statement.rest as {
        resource: {
          type: string
          operation?: { name: string; definition: string }[]
          searchParam?: { name: string }[]
        }[]
      }[]
      const types = rest!.resource.map(({ type }) => type)
      for (const type of documentedTypes) assert.ok(types.includes(type), type)
      const filterable = rest!.resource.find(({ type }) => type === 'Condition')?.searchParam?.map(({ name }) => name)
      assert.ok(filterable?.includes('clinical-status') && !filterable.includes('subject'), 'what _typeFilter may use')
      const trail = rest!.resource.find(({ type }) => type === 'AuditEvent')
      assert.deepEqual(trail?.searchParam, [{ name: 'date', type: 'date' }])
      assert.deepEqual(rest!.resource.find(({ type }) => type === 'Patient')?.operation, [
        { name: 'export', definition: `${suite.server.url}/r4/OperationDefinition/patient-export` },
      ])
    },
  },
  {
    t: [190],
    rules: ['§9'],
    does: 'a CORS preflight of the operation, and its answers to a browser',
    outcome: '204, any origin, the headers that a client needs',
    run: async (suite) => {
      const url = `${suite.base('clinic')}/Patient/$export`
      const asked = 'authorization,content-type,prefer'
      const preflight = { 'access-control-request-method': 'POST', 'access-control-request-headers': asked }
      const answer = await suite.send({ method: 'OPTIONS', url, headers: { origin, ...preflight } })
      assert.equal(answer.status, 204)
      assert.equal(answer.headers['access-control-allow-origin'], '*')
      assert.equal(answer.headers['access-control-allow-headers'], asked)
      assert.match(String(answer.headers['access-control-allow-methods']), /POST/)
      const refused = await suite.send({ method: 'POST', url, headers: { origin } })
      assert.equal(refused.status, 401)
      assert.equal(refused.headers['access-control-allow-origin'], '*')
      for (const name of ['ETag', 'Content-Location', 'Location', 'X-Request-Id', 'WWW-Authenticate', 'Date']) {
        assert.ok(refused.headers['access-control-expose-headers']?.includes(name), name)
      }
    },
  },
]
