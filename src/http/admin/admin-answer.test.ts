import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AdminRefusal, adminPageDefault, adminPageMax, countOf, textCharsMax, textOf } from './admin-answer.ts'

test('a page has as many items as were asked for, up to its bound', () => {
  assert.equal(countOf({}), adminPageDefault)
  for (const count of [1, adminPageMax - 1, adminPageMax]) assert.equal(countOf({ count: String(count) }), count)
  assert.equal(countOf({ count: String(adminPageMax + 1) }), adminPageMax)
  for (const count of ['0', '-1', '1.5', 'x', '']) assert.throws(() => countOf({ count }), AdminRefusal)
})

test('a text is taken up to its bound', () => {
  for (const length of [0, textCharsMax - 1, textCharsMax]) {
    assert.equal(textOf({ name: 'x'.repeat(length) }, 'name').length, length)
  }
  for (const name of ['x'.repeat(textCharsMax + 1), 7, null, undefined]) {
    assert.throws(() => textOf({ name }, 'name'), AdminRefusal)
  }
})
