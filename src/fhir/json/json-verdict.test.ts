import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { jsonExcess } from './json-excess.ts'
import { blanksOfManyLines, jsonSource, render } from './json-source.fixture.ts'
import { jsonVerdict } from './json-verdict.ts'

const boundless = { depthMax: 1_000, valuesMax: Number.POSITIVE_INFINITY }

function isParsed(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const verdict = (text: string, bounds = boundless) => jsonVerdict(Buffer.from(text), bounds)

const assertSame = (text: string) => assert.equal(verdict(text), isParsed(text) ? undefined : 'syntax', text)

test('JSON is what JSON.parse accepts, whatever blanks stand in it', () => {
  fc.assert(
    fc.property(jsonSource, blanksOfManyLines, (source, between) => {
      const text = render(source, between)
      assert.ok(isParsed(text))
      assertSame(text)
    }),
    { numRuns: 1_000 },
  )
})

test('JSON is what JSON.parse accepts when a character is missing, another, or too much', () => {
  const noise = fc.constantFrom(
    ...['', '"', '\\', '{', '}', '[', ']', ':', ',', ' ', '\n', '\t', '0', '-', '.', 'e', '\0', 'é', '\ufeff'],
  )
  fc.assert(
    fc.property(jsonSource, fc.nat(), fc.nat(1), noise, (source, place, length, other) => {
      const text = render(source, [' '])
      const at = place % (text.length + 1)
      assertSame(`${text.slice(0, at)}${other}${text.slice(at + length)}`)
    }),
    { numRuns: 5_000 },
  )
})

test('JSON is what JSON.parse accepts of each form that a value may nearly have', () => {
  const forms = [
    '',
    ' ',
    '01',
    '-',
    '-0',
    '.5',
    '1.',
    '1e',
    '1e+5',
    '+1',
    'tru',
    'true',
    'nulll',
    '"',
    '"\\x"',
    '"\\u12g4"',
    '"\\u00e9"',
  ]
  const lists = [
    '[1,]',
    '[,]',
    '{"b"}',
    '{,}',
    '{"a":1,}',
    '{"a" : 1}',
    '{1:1}',
    '[1 2]',
    '{"a":1 "b":2}',
    '[',
    '{',
    '{"a":',
    '1 1',
    '[]]',
  ]
  for (const text of [...forms, ...lists]) {
    assertSame(text)
    assertSame(`[${text}]`)
  }
})

test('nesting and values are bounded as in any other text', () => {
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
  for (const depth of [9, 10, 11]) {
    assert.equal(verdict(nested(depth), { ...boundless, depthMax: 10 }), depth > 10 ? 'depth' : undefined)
  }
  const empties = (count: number) => `[${Array(count).fill('{}').join(',')}]`
  for (const count of [49, 50, 51]) {
    // Each has itself and, but for the first, what stands before it; and there is the array.
    assert.equal(verdict(empties(count), { ...boundless, valuesMax: 100 }), 2 * count > 100 ? 'values' : undefined)
  }
  fc.assert(
    fc.property(jsonSource, fc.nat(4), fc.nat(20), (source, depthMax, valuesMax) => {
      const text = render(source, [''])
      assert.equal(verdict(text, { depthMax, valuesMax }), jsonExcess(text, { depthMax, valuesMax }), text)
    }),
  )
})
