import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readScopeQuery } from './scope-query.ts'

const refused: readonly (readonly [type: string, query: string, reason: RegExp])[] = [
  ['Observation', '', /empty/],
  ['Observation', 'category', /not parameter=value: "category"/],
  ['Observation', 'category=', /category of Observation: "" is empty/],
  ['Observation', '=laboratory', /not parameter=value/],
  ['Observation', 'category=laboratory&', /not parameter=value: ""/],
  ['Observation', 'category=%', /not parameter=value/],
  ['Observation', 'category=a%00b', /not parameter=value/],
  ['Observation', 'category=a%C2%85b', /not parameter=value/],
  ['Observation', 'category=é', /percent-encoded/],
  ['Observation', 'value-string="a"', /percent-encoded/],
  ['Observation', 'category=a\\,b', /percent-encoded/],
  ['Observation', 'foo=1', /the parameter is not supported for Observation/],
  ['Observation', 'subject.name=peter', /chained parameters are not supported/],
  ['Observation', 'patient:Patient.name=peter', /chained parameters are not supported/],
  ['Observation', '_has:Provenance:target:agent=1', /_has \(reverse chaining\) is not supported/],
  ['Observation', 'code:in=http://a.example/vs', /":in" is not supported/],
  ['Observation', '_count=10', /_count may not be used/],
  ['Observation', '_include=Observation:subject', /_include may not be used/],
  ['Observation', 'value-quantity=abc', /is not a quantity/],
  ['Vehicle', 'status=active', /the parameter is not supported for Vehicle/],
  ['*', '_tag=a', /not \*/],
]

for (const [type, query, reason] of refused) {
  test(`§10: ${type}?${query} cannot be applied`, () => {
    const read = readScopeQuery(type, query)
    assert.ok('reason' in read)
    assert.match(read.reason, reason)
  })
}

const token = (parameter: string, value: object) => ({ parameter, values: [{ kind: 'token', ...value }] })

test('§10: a query is read as one of _typeFilter is, percent-encoded or not, in no profile', () => {
  const laboratory = token('category', { system: 'http://a.example', code: 'laboratory' })
  for (const query of ['category=http://a.example|laboratory', 'category=http%3A%2F%2Fa.example%7Claboratory']) {
    assert.deepEqual(readScopeQuery('Observation', query), { type: 'Observation', criteria: [laboratory] })
  }
  const status = token('status', { code: 'final' })
  assert.deepEqual(readScopeQuery('Observation', 'category=http://a.example|laboratory&status=final'), {
    type: 'Observation',
    criteria: [laboratory, status],
  })
  assert.deepEqual(readScopeQuery('Observation', 'status=a%5C,b'), {
    type: 'Observation',
    criteria: [token('status', { code: 'a,b' })],
  })
  assert.deepEqual(readScopeQuery('Patient', '_id=1'), { type: 'Patient', criteria: [token('_id', { code: '1' })] })
})

test('§10: a query has at most 100 parameters', () => {
  const query = (count: number) => Array.from({ length: count }, () => 'code=1').join('&')
  assert.ok('criteria' in readScopeQuery('Goal', query(100).replaceAll('code', 'category')))
  assert.deepEqual(readScopeQuery('Goal', query(101)), { reason: 'its query has more than 100 parameters' })
})
