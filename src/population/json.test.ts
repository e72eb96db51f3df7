import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Raw, writeJson, writeMembers } from './json.ts'

test('a raw number keeps its trailing zeros', () => {
  assert.equal(writeJson({ value: new Raw('1.10'), code: 'x' }), '{"value":1.10,"code":"x"}')
})

test('undefined members and empty arrays are left out', () => {
  assert.equal(writeJson({ a: undefined, b: [], c: [undefined, 1], d: false }), '{"c":[1],"d":false}')
  assert.equal(writeMembers({ a: undefined }), '')
})

test('line separators stay unescaped inside strings', () => {
  assert.equal(writeJson('a\u2028b\u2029c\n'), '"a\u2028b\u2029c\\n"')
})

test('what is written parses to the same value', () => {
  const leaf = fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer(), fc.boolean())
  const objects = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.oneof(leaf, fc.array(leaf, { minLength: 1 })))
  fc.assert(fc.property(objects, (value) => assert.deepEqual(JSON.parse(writeJson(value)), { ...value })))
})
