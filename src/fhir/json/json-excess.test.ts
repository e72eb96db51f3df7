import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { jsonExcess } from './json-excess.ts'

const wide = { depthMax: 1_000, valuesMax: 1_000 }
const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
const empties = (count: number) => `[${Array(count).fill('{}').join(',')}]`

test('nesting is counted up to its bound', () => {
  assert.equal(jsonExcess(nested(99), { ...wide, depthMax: 100 }), undefined)
  assert.equal(jsonExcess(nested(100), { ...wide, depthMax: 100 }), undefined)
  assert.equal(jsonExcess(nested(101), { ...wide, depthMax: 100 }), 'depth')
  assert.equal(jsonExcess(`[${nested(99)},${nested(99)}]`, { ...wide, depthMax: 100 }), undefined)
})

test('values are counted up to their bound', () => {
  assert.equal(jsonExcess(empties(49), { ...wide, valuesMax: 100 }), undefined)
  assert.equal(jsonExcess(empties(50), { ...wide, valuesMax: 100 }), undefined)
  assert.equal(jsonExcess(empties(51), { ...wide, valuesMax: 100 }), 'values')
  assert.equal(jsonExcess(`[${'1,'.repeat(100)}1]`, { ...wide, valuesMax: 100 }), 'values')
})

test('what stands in strings does not count', () => {
  const text = JSON.stringify({ a: '[[[[{{{{,,,,', 'b"[[[[': '\\', c: '"[[[[' })
  assert.equal(jsonExcess(text, { depthMax: 1, valuesMax: 3 }), undefined)
})

/** The same by walking the parsed value. */
function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}

test('nesting is what the parsed value has', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.integer({ min: 0, max: 7 }), (value, depthMax) => {
      const expected = depthOf(value) > depthMax ? 'depth' : undefined
      assert.equal(
        jsonExcess(JSON.stringify(value, null, 1), { depthMax, valuesMax: Number.POSITIVE_INFINITY }),
        expected,
      )
    }),
  )
})
