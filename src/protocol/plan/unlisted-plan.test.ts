import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { partitionBytesMax, partitionBytesMin, partitionOwnersMax, partitionsAimed } from '../limits.ts'
import { UnlistedPlan } from './unlisted-plan.ts'

const owners = (count: number, bytes: number) =>
  Array.from({ length: count }, (_, index) => ({
    owner: `p${String(index).padStart(6, '0')}`,
    bytes,
    inflated: 0,
    packed: 0,
    records: 2,
  }))

/** The sizes of the partitions of owners that come in pages. */
function cut(weights: ReturnType<typeof owners>, page: number) {
  const plan = new UnlistedPlan()
  const partitions = []
  for (let at = 0; at < weights.length; at += page) partitions.push(...plan.add(weights.slice(at, at + page)))
  return [...partitions, ...plan.end()]
}

describe('the plan of an export without a list of patients', () => {
  it('has every owner once, in order, however the owners come', () => {
    const weights = owners(50_001, 10_000)
    for (const page of [1, 7_777, 60_000]) {
      const partitions = cut(weights, page)
      assert.deepEqual(
        partitions.flatMap((partition) => partition.owners),
        weights.map(({ owner }) => owner),
      )
      assert.equal(
        partitions.reduce((sum, { records }) => sum + records, 0),
        2 * weights.length,
      )
    }
  })

  it('has no partition without owners', () => {
    assert.deepEqual(cut([], 10), [])
    assert.equal(cut(owners(1, partitionBytesMax * 2), 10).length, 1)
  })

  it('bounds the owners of a partition', () => {
    const sizes = (count: number) => cut(owners(count, 1), 1_000).map((partition) => partition.owners.length)
    assert.deepEqual(sizes(partitionOwnersMax - 1), [partitionOwnersMax - 1])
    assert.deepEqual(sizes(partitionOwnersMax), [partitionOwnersMax])
    assert.deepEqual(sizes(partitionOwnersMax + 1), [partitionOwnersMax, 1])
  })

  it('makes partitions larger as the export proves to be large, up to the bound', () => {
    const mega = 1024 * 1024
    const sizes = cut(owners(10_000, mega), 1_000).map((partition) => partition.owners.length * mega)
    assert.deepEqual(sizes.slice(0, partitionsAimed), Array(partitionsAimed).fill(partitionBytesMin))
    assert.equal(sizes[partitionsAimed], 2 * partitionBytesMin)
    assert.equal(Math.max(...sizes), partitionBytesMax)
    assert.equal(sizes.at(-2), partitionBytesMax)
  })
})
