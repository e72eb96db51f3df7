import assert from 'node:assert/strict'
import { test } from 'node:test'
import { median, percentile } from './statistics.ts'

test('the median of an odd number of samples is one of them, of an even number lies between two', () => {
  assert.equal(median([9, 1, 5]), 5)
  assert.equal(median([9, 1, 5, 6]), 5.5)
  assert.equal(median([7]), 7)
})

test('a percentile is the sample of the nearest rank', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)
  assert.equal(percentile(hundred, 99), 99)
  assert.equal(percentile(hundred, 100), 100)
  assert.equal(percentile([3, 1, 2], 99), 3)
  assert.equal(percentile([3, 1, 2], 0), 1)
})

test('without samples there is neither', () => {
  assert.throws(() => median([]), /no sample/)
  assert.throws(() => percentile([], 50), /no sample/)
})
