import { partitionBytesMax, partitionBytesMin, partitionOwnersMax, partitionsAimed } from '../limits.ts'
import { type OwnerSize, type PlannedPartition, weightOf } from './planned-partitions.ts'

/**
 * Cuts owners that come in order, without an end in sight, into partitions. How much there is in all is not known beforehand, so the
 * aim grows: after every `partitionsAimed` partitions they become twice as large. No more than one partition is held.
 */
export class UnlistedPlan {
  #aim = partitionBytesMin
  #cut = 0
  #owners: string[] = []
  #filled = 0
  #records = 0

  /** Adds the next owners; gives the partitions that are complete with them. */
  add(sizes: readonly OwnerSize[]): PlannedPartition[] {
    const complete: PlannedPartition[] = []
    for (const size of sizes) {
      const weight = weightOf(size)
      if (this.#filled + weight > this.#aim || this.#owners.length === partitionOwnersMax) complete.push(...this.end())
      this.#owners.push(size.owner)
      this.#filled += weight
      this.#records += size.records
    }
    return complete
  }

  /** The last partition, if there is one. */
  end(): PlannedPartition[] {
    if (this.#owners.length === 0) return []
    const partition = { owners: this.#owners, records: this.#records }
    this.#owners = []
    this.#filled = 0
    this.#records = 0
    if (++this.#cut % partitionsAimed === 0) this.#aim = Math.min(partitionBytesMax, this.#aim * 2)
    return [partition]
  }
}
