import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DiscardPace, discardedBytesPerSecondMax } from './discarded-bodies.ts'

const piece = discardedBytesPerSecondMax / 1_000

test('bodies that nobody wants are read no faster than the bound, whoever they are of', () => {
  const pace = new DiscardPace()
  assert.equal(pace.msAfter(piece, 100), 1)
  assert.equal(pace.msAfter(piece, 100), 2, 'the second one waits for the first')
  assert.equal(pace.msAfter(2 * piece, 101), 3)
})

test('a pause is not saved up', () => {
  const pace = new DiscardPace()
  pace.msAfter(piece, 0)
  assert.equal(pace.msAfter(piece, 60_000), 1)
})
