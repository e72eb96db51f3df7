import { partitionBytesMax, partitionBytesMin, partitionsAimed } from '../limits.ts'

/** What an owner has to export: bytes of lines that are read and deflated, of lines that are inflated to be chosen, and of packs that are copied. */
export interface OwnerSize {
  readonly owner: string
  readonly bytes: number
  readonly inflated: number
  readonly packed: number
  readonly records: number
}

/**
 * What an owner counts when partitions are cut. Packed bytes stand for ten times as many of lines and still take less time, but each of
 * them ends up in a file, and a partition has files of its own. To choose among lines takes about half of the time of reading them.
 */
export const weightOf = ({ bytes, inflated, packed }: OwnerSize): number => bytes + inflated / 2 + packed

/** Owners that are exported together. `records` is how many are expected. */
export interface PlannedPartition {
  readonly owners: readonly string[]
  readonly records: number
}

/** Cuts owners, in order of their ids, into partitions that take about the same time. An owner is never divided. */
export function planPartitions(sizes: readonly OwnerSize[]): PlannedPartition[] {
  const total = sizes.reduce((sum, size) => sum + weightOf(size), 0)
  const aim = Math.min(partitionBytesMax, Math.max(partitionBytesMin, total / partitionsAimed))
  const partitions: PlannedPartition[] = []
  let owners: string[] = []
  let filled = 0
  let records = 0
  const close = () => {
    if (owners.length > 0) partitions.push({ owners, records })
    owners = []
    filled = 0
    records = 0
  }
  for (const size of [...sizes].sort((a, b) => (a.owner < b.owner ? -1 : 1))) {
    const weight = weightOf(size)
    if (filled + weight > aim) close()
    owners.push(size.owner)
    filled += weight
    records += size.records
  }
  close()
  return partitions
}
