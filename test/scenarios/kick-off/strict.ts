import assert from 'node:assert/strict'
import { documentedTypes } from '../../../src/fhir/resource-types.ts'
import { entry } from '../kick-off.ts'
import type { RequestRow, Scenario } from '../scenario.ts'

const at = 'Parameters.parameter[2].valueString'

const filtered = (query: string) => [
  entry('_type', 'valueString', query.split('?', 1)[0]),
  entry('_typeFilter', 'valueString', query),
]

/** A query that Oracle does not document: a strict tenant refuses it with 422, any other takes it. */
const undocumented = (t: readonly number[], query: string): readonly RequestRow[] => [
  {
    t,
    rules: ['S-36', 'O-3', 'search-params §3'],
    does: `_typeFilter "${query}", strict`,
    profile: 'strict',
    change: { parameters: filtered(query) },
    status: 422,
    code: 'invalid',
    expression: at,
  },
  {
    t: [],
    rules: ['S-36'],
    does: `_typeFilter "${query}", not strict`,
    change: { parameters: filtered(query) },
    status: 202,
  },
]

const documented = (t: readonly number[], query: string): RequestRow => ({
  t,
  rules: ['S-36', 'search-params §3'],
  does: `_typeFilter "${query}", strict`,
  profile: 'strict',
  change: { parameters: filtered(query) },
  status: 202,
})

/** D26: wildcards of a token count, or they do not. The token endpoint of a strict tenant grants none, so this one is made by hand. */
const wildcard = (scope: string): RequestRow => ({
  t: [51],
  rules: ['S-6', 'D26'],
  does: `a token with ${scope}, strict`,
  profile: 'strict',
  change: {
    parameters: [entry('_type', 'valueString', 'Observation')],
    authorization: async (suite, caller) => `Bearer ${await suite.signedToken(caller, { scopes: [scope] })}`,
  },
  status: 403,
  code: 'forbidden',
  answers: { 'www-authenticate': /error="insufficient_scope"/ },
})

/** T-51, T-85, T-93…T-98: tenants that are strict. */
export const strictScenarios: readonly Scenario[] = [
  wildcard('system/*.read'),
  wildcard('system/*.rs'),
  wildcard('system/*.*'),
  {
    t: [51],
    rules: ['S-29', 'D26'],
    does: 'a token with system/*.read and no _type, strict',
    profile: 'strict',
    change: {
      authorization: async (suite, caller) =>
        `Bearer ${await suite.signedToken(caller, { scopes: ['system/*.read'] })}`,
    },
    status: 403,
    code: 'forbidden',
  },
  ...undocumented([85], 'Procedure?status=completed'),
  ...undocumented([94], 'Goal?target-date=ge2020-01-01&target-date=ge2021-01-01'),
  ...undocumented([94], 'Goal?target-date=ge2021-01-01&target-date=le2020-01-01'),
  ...undocumented([95], 'DocumentReference?period=ge2020-01-01'),
  ...undocumented([95], 'DocumentReference?period=ge2020-01-01&period=lt2021-01-01T00:00:00Z'),
  ...undocumented([96], 'MedicationRequest?-timing-boundsPeriod=2020-01-01'),
  ...undocumented([98], 'CarePlan?category=longitudinal'),
  ...undocumented([], 'Condition?clinical-status:not=active'),
  ...undocumented([], 'Goal?target-date=ne2020-01-01'),
  documented([93], 'Goal?target-date=ge2020-01-01&target-date=le2020-12-31'),
  documented([93], 'Goal?target-date=2020-01-01'),
  documented([95], 'DocumentReference?period=ge2020-01-01&period=lt2021-01-01'),
  documented([98], 'CarePlan?category=assess-plan'),
  {
    t: [51],
    rules: ['D26', 'B14'],
    does: 'what a strict tenant says of itself',
    profile: 'strict',
    outcome: 'its 20 search parameters, no wildcard scope; a token request for one is refused',
    run: async (suite) => {
      const answer = await suite.send({ method: 'GET', url: `${suite.base('textbook')}/metadata`, headers: {} })
      const { rest } = JSON.parse(answer.body.toString('utf8')) as {
        rest: [{ resource: { type: string; searchParam?: { name: string }[] }[] }]
      }
      const exported = rest[0].resource.filter(({ type }) => type !== 'AuditEvent')
      const searched = exported.flatMap(({ type, searchParam = [] }) =>
        searchParam.map(({ name }) => `${type}.${name}`),
      )
      assert.ok(searched.includes('Goal.target-date') && !searched.includes('Procedure.status'))
      assert.equal(new Set(searched.filter((name) => name !== 'AuditEvent.date')).size, 20)

      const url = `${suite.base('textbook')}/.well-known/smart-configuration`
      const smart = JSON.parse((await suite.send({ method: 'GET', url, headers: {} })).body.toString('utf8'))
      assert.deepEqual(
        smart.scopes_supported,
        documentedTypes.map((type) => `system/${type}.read`),
      )
      await assert.rejects(suite.newCaller('textbook', 'system/*.read'), /invalid_scope/)
    },
  },
]
