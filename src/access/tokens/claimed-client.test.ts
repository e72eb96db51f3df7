import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertionCharsMax } from './assertion.ts'
import { claimedClient } from './claimed-client.ts'

const id = '5ce2ebb4-fba5-4d2e-a5cf-3b3d7b4bd0b8'
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const assertionOf = (iss: unknown, more = '') => `${part({ alg: 'ES384' })}.${part({ iss, more })}.c2ln`
const claimed = (assertion: string, authorization?: string) =>
  claimedClient({ body: String(new URLSearchParams({ client_assertion: assertion })), authorization })
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`

test('the client is the iss of the assertion, or the user of HTTP Basic', () => {
  assert.equal(claimed(assertionOf(id)), id)
  assert.equal(claimed('', basic(`${id}:a secret:with colons`)), id)
  assert.equal(
    claimed('', basic(`${id.replaceAll('-', '%2D').replace('5', '%35')}:x`)),
    id,
    'form-encoded, as it may be',
  )
  assert.equal(claimed(assertionOf(id, 'x'.repeat(assertionCharsMax))), undefined)
})

test('what cannot be a client id is not repeated: it may be a secret in the wrong place', () => {
  for (const text of ['a-secret', '', `${id}\n`, `${id} `, id.toUpperCase()]) {
    assert.equal(claimed(assertionOf(text)), undefined)
    assert.equal(claimed('', basic(`${text}:x`)), undefined)
  }
  for (const assertion of ['', 'x', 'a.b.c', assertionOf(7)]) assert.equal(claimed(assertion), undefined)
  assert.equal(claimed('', 'Basic ?'), undefined)
  assert.equal(claimed('', 'Bearer abc'), undefined)
})
