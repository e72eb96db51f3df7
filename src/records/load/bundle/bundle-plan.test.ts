import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { planBundle } from './bundle-plan.ts'

const uuid = '0b1c5a5e-6d0e-4c57-9f57-9d1b5b0d4a11'
const patient = { resourceType: 'Patient', id: 'p1' }
const post = { method: 'POST', url: 'Patient' }

/** What becomes of one entry: the record it is, or why it is none. */
function planned(type: string | undefined, entry: object): string {
  const plan = planBundle(JSON.stringify({ resourceType: 'Bundle', type, entry: [entry] }), type)
  if (typeof plan === 'string') return plan
  const { entries, refused, outcomes } = plan
  if (outcomes > 0) return 'outcome'
  const [found] = entries
  return found ? `${found.kind} ${found.key.type}/${found.key.id}` : refused[0]!.reason
}

const hashed = /^put Patient\/[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/

const noType =
  'the type of the Bundle is missing, or none of transaction, batch, history, collection, searchset, document, message'

const rows: readonly (readonly [what: string, type: string | undefined, entry: object, expected: string | RegExp])[] = [
  [
    'a PUT has the id of its URL',
    'transaction',
    { resource: patient, request: { method: 'PUT', url: 'Patient/p1' } },
    'put Patient/p1',
  ],
  [
    'a PUT may leave the id to its URL',
    'batch',
    { resource: { resourceType: 'Patient' }, request: { method: 'PUT', url: 'Patient/p2' } },
    'put Patient/p2',
  ],
  [
    'a PUT of another id',
    'transaction',
    { resource: patient, request: { method: 'PUT', url: 'Patient/p2' } },
    /not the one that request.url names/,
  ],
  [
    'a PUT with a query',
    'transaction',
    { resource: patient, request: { method: 'PUT', url: 'Patient?identifier=a|b' } },
    /with a query cannot be loaded/,
  ],
  [
    'a POST has the UUID of its fullUrl, in lower case',
    'transaction',
    { fullUrl: `urn:uuid:${uuid.toUpperCase()}`, resource: patient, request: post },
    `put Patient/${uuid}`,
  ],
  [
    'a POST with another fullUrl has an id of its own',
    'transaction',
    { fullUrl: 'http://x.example/Patient/p1', resource: patient, request: post },
    hashed,
  ],
  ['a POST without a fullUrl has an id of its own', 'batch', { resource: patient, request: post }, hashed],
  ['a POST of another type', 'batch', { resource: patient, request: { method: 'POST', url: 'Group' } }, /not the type/],
  [
    'a POST whose condition is no identifier',
    'batch',
    { resource: patient, request: { ...post, ifNoneExist: 'name=x' } },
    /ifNoneExist cannot be looked up/,
  ],
  [
    'in a history a POST has made a version of the record',
    'history',
    { resource: patient, request: post },
    'put Patient/p1',
  ],
  [
    'a record of a collection has its own id',
    'collection',
    { fullUrl: `urn:uuid:${uuid}`, resource: patient },
    'put Patient/p1',
  ],
  [
    'a record of a document has the UUID of its fullUrl when it has no id',
    'document',
    { fullUrl: `urn:uuid:${uuid}`, resource: { resourceType: 'Patient' } },
    `put Patient/${uuid}`,
  ],
  [
    'a record of a searchset has the id of its fullUrl when it has none',
    'searchset',
    { fullUrl: 'http://x.example/fhir/Patient/7', resource: { resourceType: 'Patient' } },
    'put Patient/7',
  ],
  ['a record of a message without any id', 'message', { resource: { resourceType: 'Patient' } }, hashed],
  ['a DELETE', 'transaction', { request: { method: 'DELETE', url: 'Patient/p1' } }, 'delete Patient/p1'],
  [
    'a DELETE with a base',
    'transaction',
    { request: { method: 'DELETE', url: 'http://x.example/fhir/Patient/p1' } },
    'delete Patient/p1',
  ],
  [
    'a DELETE whose fullUrl says the type',
    'history',
    { fullUrl: 'http://x.example/fhir/Patient/p1', request: { method: 'DELETE', url: 'p1' } },
    'delete Patient/p1',
  ],
  [
    'a DELETE of a collection',
    'collection',
    { request: { method: 'DELETE', url: '/Patient/p1' } },
    'delete Patient/p1',
  ],
  ['a DELETE without a type', 'transaction', { request: { method: 'DELETE', url: 'p1' } }, /must be Type\/id/],
  [
    'a DELETE of whatever matches',
    'transaction',
    { request: { method: 'DELETE', url: 'Patient?name=x' } },
    /with a query/,
  ],
  [
    'a PATCH',
    'transaction',
    { resource: patient, request: { method: 'PATCH', url: 'Patient/p1' } },
    /only POST, PUT and DELETE/,
  ],
  ['an entry without a resource', 'collection', { fullUrl: `urn:uuid:${uuid}` }, /no resource/],
  ['a resource without a type', 'collection', { resource: { id: 'x' } }, /resourceType is missing/],
  ['an id that is too long', 'collection', { resource: { resourceType: 'Patient', id: 'x'.repeat(65) } }, /1 to 64/],
  ['an OperationOutcome of a searchset', 'searchset', { resource: { resourceType: 'OperationOutcome' } }, 'outcome'],
  ['a Bundle without a type', undefined, { resource: patient, request: post }, noType],
  ['a type in another case', 'Transaction', { resource: patient, request: post }, noType],
  ['a type that R4 does not have', 'subscription-notification', { resource: patient }, noType],
  ['an answer of a server', 'transaction-response', { resource: patient }, /is an answer of a server/],
]

describe('whose id an entry of a Bundle has', () => {
  for (const [what, type, entry, expected] of rows) {
    it(what, () => {
      if (typeof expected === 'string') assert.equal(planned(type, entry), expected)
      else assert.match(planned(type, entry), expected)
    })
  }

  it('is the same when the same Bundle is read again, and another one in any other Bundle or entry', () => {
    const entry = { resource: patient, request: post }
    const ids = (text: string) => {
      const plan = planBundle(text, 'transaction')
      assert.ok(typeof plan !== 'string')
      return plan.entries.map(({ key }) => key.id)
    }
    const text = JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry: [entry, entry] })
    assert.deepEqual(ids(text), ids(text))
    assert.equal(new Set([...ids(text), ...ids(text.replace('p1', 'p2'))]).size, 4)
  })

  it('is not said by a Bundle that says two things', () => {
    for (const [text, place] of [
      ['{"type":"batch","entry":[],"entry":[{}]}', 'Bundle'],
      ['{"type":"batch","entry":[{"request":{"method":"PUT","method":"POST"}}]}', 'Bundle.entry[0]'],
    ] as const) {
      assert.equal(planBundle(text, 'batch'), `a member stands twice in ${place}, so it says two things`)
    }
  })

  it('comes oldest first from a history', () => {
    const versions = ['2', '1'].map((versionId) => ({ resource: { ...patient, meta: { versionId } } }))
    const plan = planBundle(JSON.stringify({ resourceType: 'Bundle', type: 'history', entry: versions }), 'history')
    assert.ok(typeof plan !== 'string')
    assert.deepEqual(
      plan.entries.map(({ index }) => index),
      [1, 0],
    )
  })
})
