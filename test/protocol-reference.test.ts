import assert from 'node:assert/strict'
import { test } from 'node:test'
import { citedByCode, citedByPages, definedRules, tagsIn } from './protocol-tags.ts'

const defined = definedRules()
const byCode = citedByCode()

test('every rule that is cited stands in docs/reference/protocol', () => {
  assert.ok(byCode.length > 1000, `${byCode.length} citations were found`)
  const known = new Set(defined.map(({ tag }) => tag))
  const missing = [...byCode, ...citedByPages()].filter(({ tag }) => !known.has(tag))
  assert.deepEqual([...new Set(missing.map(({ tag, at }) => `${tag}, cited in ${at}`))], [])
})

test('every rule of docs/reference/protocol is cited by the code or a test', () => {
  const cited = new Set(byCode.map(({ tag }) => tag))
  const idle = defined.filter(({ tag }) => !cited.has(tag))
  assert.deepEqual(
    idle.map(({ tag, at }) => `${tag} in ${at}`),
    [],
  )
})

test('every rule of docs/reference/protocol stands there once', () => {
  const repeated = Object.entries(Object.groupBy(defined, ({ tag }) => tag)).filter(([, places]) => places!.length > 1)
  assert.deepEqual(repeated, [])
})

test('a tag is found alone, in lists and in ranges', () => {
  const texts = [
    ['T-57, S-33', 'T-57 S-33'],
    ['(S-42…S-44; D20b)', 'S-42 S-43 S-44 D20b'],
    ['B7–B9: a token', 'B7 B8 B9'],
    ['S-40 to S-42.', 'S-40 S-41 S-42'],
    ['T-1..T-3', 'T-1 T-2 T-3'],
    ['in the words of\n * search-params\n * §5, protocol §2.6, §4.', 'search-params §5 §2.6 §4'],
  ] as const
  for (const [text, tags] of texts) assert.equal(tagsIn(text).join(' '), tags, text)
})

test('what looks like a tag is none', () => {
  const texts = ['D64.9', 'P90D', 'P-256', 'R4', 'UTF-8', 'a%C2%85b', 'ES384', 'aT-5', 'S-5x', 'x/B2', 'B2/x', 'V8']
  for (const text of [...texts, 'RFC 6749 §5.2', 'RFC 6749\n * §5.2', '§15.5.16'])
    assert.deepEqual(tagsIn(text), [], text)
})
