import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type PlacedProvenance, slicesOf } from './pack-order.ts'

const made = (rank: string, targets: readonly string[], recorded = 0, updated = 0): PlacedProvenance => ({
  ...{ rank, targets, recorded, updated },
})

const ranks = (list: readonly PlacedProvenance[]) => {
  const slices = slicesOf(list)
  return [...slices.values()].map((slice) => slice.map(({ rank }) => rank))
}

it('Provenances that are the newest of one of their targets stand before the others, each by id', () => {
  assert.deepEqual(ranks([]), [[], []])
  const [a, b, c] = [made('a', ['Goal/1'], 1), made('b', ['Goal/1', 'Goal/2'], 0), made('c', ['Goal/2'], 2)]
  assert.deepEqual(ranks([a, b, c]), [['a', 'c'], ['b']])
  assert.deepEqual(ranks([made('a', ['Goal/1']), made('b', []), made('c', ['Goal/2'])]), [['a', 'c'], ['b']])
})

it('of two that were recorded at the same time that one is newer that was updated later, then that of the greater id', () => {
  assert.deepEqual(ranks([made('a', ['Goal/1'], 5, 2), made('b', ['Goal/1'], 5, 1)]), [['a'], ['b']])
  assert.deepEqual(ranks([made('a', ['Goal/1'], 5, 1), made('b', ['Goal/1'], 5, 1)]), [['b'], ['a']])
  const unknown = Number.NEGATIVE_INFINITY
  assert.deepEqual(ranks([made('a', ['Goal/1'], unknown, 9), made('b', ['Goal/1'], -5, 1)]), [['b'], ['a']])
})
