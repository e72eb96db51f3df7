import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { partitionBytesMax, partitionBytesMin, partitionsAimed } from '../limits.ts'
import { type OwnerSize, planPartitions, weightOf } from './planned-partitions.ts'

const bytes = fc.oneof(fc.nat(200_000), fc.nat(40_000_000), fc.nat(600_000_000))
const inflated = fc.oneof(fc.constant(0), fc.nat(200_000_000))
const packed = fc.oneof(fc.constant(0), fc.nat(60_000_000))
const owner = fc.stringMatching(/^[A-Za-z0-9.-]{1,8}$/)
const sizes = fc
  .uniqueArray(fc.record({ owner, bytes, inflated, packed, records: fc.nat(1_000) }), {
    selector: ({ owner }) => owner,
    maxLength: 60,
  })
  .map((list): OwnerSize[] => list)

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

describe('the partitions of a job', () => {
  it('hold every owner exactly once, in order of their ids', () => {
    fc.assert(
      fc.property(sizes, (list) => {
        const owners = planPartitions(list).flatMap((partition) => partition.owners)
        assert.deepEqual(
          owners,
          list.map(({ owner }) => owner).sort((a, b) => (a < b ? -1 : 1)),
        )
      }),
    )
  })

  it('expect the records of their owners, and none is empty', () => {
    fc.assert(
      fc.property(sizes, (list) => {
        const records = new Map(list.map(({ owner, records }) => [owner, records]))
        for (const partition of planPartitions(list)) {
          assert.ok(partition.owners.length > 0)
          assert.equal(partition.records, sum(partition.owners.map((owner) => records.get(owner)!)))
        }
      }),
    )
  })

  it('stay within their bounds, unless a single owner is heavier', () => {
    fc.assert(
      fc.property(sizes, (list) => {
        const heavy = new Map(list.map((size) => [size.owner, weightOf(size)]))
        for (const { owners } of planPartitions(list)) {
          const total = sum(owners.map((owner) => heavy.get(owner)!))
          assert.ok(owners.length === 1 || total <= partitionBytesMax)
        }
      }),
    )
  })

  it('are not needlessly many: two neighbours together are more than one could be', () => {
    fc.assert(
      fc.property(sizes, (list) => {
        const heavy = new Map(list.map((size) => [size.owner, weightOf(size)]))
        const totals = planPartitions(list).map(({ owners }) => sum(owners.map((owner) => heavy.get(owner)!)))
        for (const [index, total] of totals.slice(1).entries()) assert.ok(totals[index]! + total > partitionBytesMin)
      }),
    )
  })

  it('are one for a small job, and about as many as aimed for a large one', () => {
    const even = (count: number, each: number) =>
      Array.from({ length: count }, (_, index) => ({
        owner: `p${index}`,
        bytes: each / 2,
        inflated: each / 2,
        packed: each / 4,
        records: 1,
      }))
    assert.equal(planPartitions(even(3, 100_000)).length, 1)
    assert.equal(planPartitions(even(1_024, partitionBytesMin / 128)).length, partitionsAimed)
    assert.deepEqual(planPartitions([]), [])
  })

  it('are the same whatever the order in which owners come', () => {
    fc.assert(fc.property(sizes, (list) => assert.deepEqual(planPartitions([...list].reverse()), planPartitions(list))))
  })
})
