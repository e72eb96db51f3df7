import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Random } from './random.ts'

test('the same keys give the same numbers, other keys give others', () => {
  const take = (...keys: number[]) =>
    Array.from(
      { length: 5 },
      (
        (random) => () =>
          random.next()
      )(new Random(...keys)),
    )
  assert.deepEqual(take(1, 2), take(1, 2))
  assert.notDeepEqual(take(1, 2), take(2, 1))
  assert.notDeepEqual(take(1, 2), take(1, 3))
})

test('integers reach both ends and nothing beyond', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0 }), fc.integer({ min: -50, max: 50 }), fc.nat({ max: 5 }), (seed, low, span) => {
      const random = new Random(seed)
      const seen = new Set(Array.from({ length: 200 }, () => random.integer(low, low + span)))
      assert.equal(seen.size, span + 1)
      assert.ok(seen.has(low) && seen.has(low + span))
    }),
    { numRuns: 30 },
  )
})

test('chances come out about as often as they say', () => {
  const random = new Random(7)
  const hits = Array.from({ length: 10_000 }, () => random.chance(0.2)).filter(Boolean).length
  assert.ok(hits > 1_850 && hits < 2_150, `${hits} of 10,000`)
})
