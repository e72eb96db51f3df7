import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyRequest } from 'fastify'
import { profiles } from '../../../protocol/profile.ts'
import { type Caller, letIn } from '../../caller.ts'
import { readBundle } from './bundle-body.ts'
import { planOf } from './plan.ts'
import { noView } from './store-view.ts'

const base = 'https://server.example/r4/clinic'
const grant = { tenant: 'clinic', client: 'c', canWrite: () => true, canRead: () => true, readable: () => 'all' }
const caller = { grant, tenant: 'clinic', base, profile: profiles.hl7 } as unknown as Caller

function read(text: string) {
  const request = { body: Buffer.from(text), headers: { 'content-type': 'application/fhir+json' } } as FastifyRequest
  letIn(request, caller)
  return readBundle(request)
}

const uuid = (at: number) => `urn:uuid:00000000-0000-4000-8000-${`${at}`.padStart(12, '0')}`
const note = 'x'.repeat(2_000)
const entries = (count: number) =>
  Array.from({ length: count }, (_, at) => ({
    fullUrl: uuid(at),
    resource: {
      resourceType: 'Observation',
      note,
      subject: { reference: 'Patient/p' },
      focus: [{ reference: uuid((at + 1) % count) }],
    },
    request: { method: 'POST', url: 'Observation' },
  }))
const transaction = (count: number) => ({ resourceType: 'Bundle', type: 'transaction', entry: entries(count) })

test('neither a Bundle nor its records are parsed, on one line or on many', (context) => {
  // A spy: what is counted is how much text becomes objects, which shows in nothing else.
  const parse = context.mock.method(JSON, 'parse')
  for (const blanks of [0, 2]) {
    const body = read(JSON.stringify(transaction(20), null, blanks))
    assert.ok('steps' in body)
    const planned = planOf(body.steps, noView, body.type, [base])
    assert.ok(planned.every(({ kind }) => kind === 'change'))
    const longest = Math.max(...parse.mock.calls.map(({ arguments: [text] }) => text.length))
    assert.ok(longest < note.length, `${longest} characters were parsed`)
  }
})

test('a Bundle of many lines is the same as on one', () => {
  const drafts = [0, 2].map((blanks) => {
    const body = read(JSON.stringify(transaction(3), null, blanks))
    assert.ok('steps' in body)
    return body.steps.map((step) => (step.kind === 'create' ? step.source : ''))
  })
  assert.deepEqual(drafts[0], drafts[1])
})

test('what is no JSON is refused as such wherever it ceases to be JSON', () => {
  const text = JSON.stringify(transaction(2))
  for (const wrong of [
    text.slice(0, -1),
    `${text}}`,
    text.replace('"x', '"\t'),
    text.replace('"focus":[', '"focus":['.concat(',')),
    text.replace('{"method"', '{method'),
    `\ufeff${text}`,
  ]) {
    const found = read(wrong)
    assert.ok('status' in found)
    assert.deepEqual([found.status, found.text], [400, 'The body is not JSON.'])
  }
})

test('what is JSON and no Bundle is refused', () => {
  for (const text of [
    '[]',
    '7',
    '"Bundle"',
    'null',
    ' {"resourceType":"Bundle","type":"history"}',
    '{"type":"batch"}',
  ]) {
    const found = read(text)
    assert.ok('status' in found)
    assert.equal(found.text, 'Only a Bundle of type transaction or batch can be posted here.')
  }
  const found = read('{"resourceType":"Bundle","type":"batch","entry":{}}')
  assert.ok('status' in found && found.text === 'Bundle.entry must be an array.')
})

test('records of a Bundle may nest so deep, and one level more is 413, which says so', () => {
  const nested = (levels: number) =>
    `{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"POST","url":"Basic"},"resource":{"resourceType":"Basic","a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}}]}`
  assert.ok('steps' in read(nested(98)))
  const refused = read(nested(99))
  assert.ok('status' in refused)
  assert.deepEqual([refused.status, refused.code], [413, 'too-long'])
  assert.match(String(refused.diagnostics), /each record in it 98/)
})

test('a record that others name again and again is read for its name once', (context) => {
  const url = 'http://example.org/fhir/Library/named'
  const named = { resourceType: 'Library', url: 'x', a: 'y'.repeat(5_000) }
  const naming = {
    resourceType: 'Library',
    extension: Array.from({ length: 200 }, () => ({ url, valueBoolean: true })),
  }
  const request = { method: 'POST', url: 'Library' }
  const body = read(
    JSON.stringify({
      ...{ resourceType: 'Bundle', type: 'transaction' },
      entry: [
        { fullUrl: url, resource: named, request },
        { resource: naming, request },
      ],
    }),
  )
  assert.ok('steps' in body)
  const parse = context.mock.method(JSON, 'parse')
  planOf(body.steps, noView, body.type, [base])
  const whole = parse.mock.calls.filter(({ arguments: [text] }) => text.length > 5_000)
  assert.ok(whole.length <= 1, `it was parsed ${whole.length} times`)
})
