import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kickOffCall } from './kick-off.ts'

const wishes = {
  types: ['Condition', 'Provenance'],
  typeFilters: ['Condition?category=problem-list-item', 'Observation?code=a,b'],
  since: '2021-03-18T19:19:42Z',
  includeAssociatedData: ['LatestProvenanceResources'],
}

test('protocol §2.3: patients are posted as Parameters, each other name once, lists joined by commas', () => {
  const order = { selection: { patients: ['12783127', '12783128'] }, ...wishes }
  const call = kickOffCall(new URL('https://server.example/r4/tenant'), order)
  assert.equal(call.method, 'POST')
  assert.equal(call.url.href, 'https://server.example/r4/tenant/Patient/$export')
  assert.deepEqual(call.headers, {
    accept: 'application/fhir+json',
    'content-type': 'application/fhir+json',
    prefer: 'respond-async',
  })
  assert.deepEqual(JSON.parse(call.body ?? ''), {
    resourceType: 'Parameters',
    parameter: [
      { name: 'patient', valueReference: { reference: 'Patient/12783127' } },
      { name: 'patient', valueReference: { reference: 'Patient/12783128' } },
      { name: '_type', valueString: 'Condition,Provenance' },
      { name: '_typeFilter', valueString: 'Condition?category=problem-list-item,Observation?code=a,b' },
      { name: '_since', valueInstant: '2021-03-18T19:19:42Z' },
      { name: 'includeAssociatedData', valueCode: 'LatestProvenanceResources' },
    ],
  })
})

test('K3: a group is asked with GET, a query parameter for each _typeFilter', () => {
  const order = { selection: { group: '11ec-d16a' }, ...wishes, since: '2021-03-18T19:19:42+01:00' }
  const { method, url, body } = kickOffCall(new URL('https://server.example/r4/tenant/'), order)
  assert.equal(method, 'GET')
  assert.equal(body, undefined)
  assert.equal(url.pathname, '/r4/tenant/Group/11ec-d16a/$export')
  assert.deepEqual(url.searchParams.getAll('_typeFilter'), wishes.typeFilters)
  assert.match(url.search, /_since=2021-03-18T19%3A19%3A42%2B01%3A00/)
})
