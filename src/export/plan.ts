import { partitionBytesMax, partitionBytesMin, partitionsAimed } from './limits.ts'

/** What an owner's selected records weigh in the store. */
export interface OwnerWeight {
  readonly owner: string
  readonly bytes: number
  readonly records: number
}

/** Owners that are exported together. `records` is how many are expected. */
export interface PlannedPartition {
  readonly owners: readonly string[]
  readonly records: number
}

/** Cuts owners, in order of their ids, into partitions of about equal bytes. An owner is never divided. */
export function planPartitions(weights: readonly OwnerWeight[]): PlannedPartition[] {
  const total = weights.reduce((sum, weight) => sum + weight.bytes, 0)
  const aim = Math.min(partitionBytesMax, Math.max(partitionBytesMin, total / partitionsAimed))
  const partitions: PlannedPartition[] = []
  let owners: string[] = []
  let bytes = 0
  let records = 0
  const close = () => {
    if (owners.length > 0) partitions.push({ owners, records })
    owners = []
    bytes = 0
    records = 0
  }
  for (const weight of [...weights].sort((a, b) => (a.owner < b.owner ? -1 : 1))) {
    if (bytes + weight.bytes > aim) close()
    owners.push(weight.owner)
    bytes += weight.bytes
    records += weight.records
  }
  close()
  return partitions
}
