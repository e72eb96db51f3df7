import type { PackUse } from '../export/pack-use.ts'
import type { RecordAsOf } from '../records/as-of.ts'
import type { Pack } from '../records/pack.ts'
import type { PackedOwners } from '../records/packed-owners.ts'
import { dropPacks, type PackedOwner, packsOfOwners } from '../records/packs.ts'
import { OrderedRecords } from './ordered-records.ts'
import type { Selection } from './selection.ts'

/** Records of one type in the order of owner and id, as they come: read one by one, or packed. */
export type Taken = { readonly records: readonly RecordAsOf[] } | { readonly packs: readonly Pack[] }

/** How the records of one type are got. */
export interface TypeReading {
  readonly type: string
  readonly use: PackUse
  /** Owners whose packs serve; the others are read as versions. */
  readonly owners: PackedOwners
  /** Reads the versions of owners as of the job's transactionTime. */
  readonly versions: (owners: readonly string[]) => AsyncGenerator<RecordAsOf[]>
  /** What packs must be like beside being of the right time. */
  readonly serves?: (pack: Pack) => boolean
}

/** The records of one type of a partition's owners: packs where they serve, versions where they do not, always the same lines. */
export async function* ownedRecords(selection: Selection, reading: TypeReading): AsyncGenerator<Taken> {
  const { type, versions } = reading
  const { packed, unchanged } = reading.owners
  const { owners } = selection.held.partition
  const { tenant } = selection.job
  const withPacks = new Set([...packed, ...unchanged])
  const unpacked = new OrderedRecords(versions(owners.filter((owner) => !withPacks.has(owner))))
  try {
    let next = 0
    const { signal } = selection.held
    for await (const found of packsOfOwners(selection.pool, { tenant, type, owners: packed, signal })) {
      for (; packed[next] !== found.owner; next++) yield* placed(packed[next]!, unpacked, reading)
      next++
      if (found.lying) await refusePacks(selection, found.owner, type)
      yield* placed(found.owner, unpacked, reading, packsThatServe(selection, reading, found))
    }
    for (; next < packed.length; next++) yield* placed(packed[next]!, unpacked, reading)
    for await (const records of unpacked.rest()) yield { records }
  } finally {
    await unpacked.close()
  }
}

/** An owner whose packs were expected, at its place; its versions when there are no packs that serve. */
async function* placed(
  owner: string,
  unpacked: OrderedRecords,
  { versions }: TypeReading,
  packs?: readonly Pack[],
): AsyncGenerator<Taken> {
  for await (const records of unpacked.before(owner)) yield { records }
  if (packs) yield { packs }
  else for await (const records of versions([owner])) yield { records }
}

/** Those packs of an owner that hold something to export; undefined when they are not the state that the job wants. */
function packsThatServe(
  { job }: Selection,
  { use, serves = () => true }: TypeReading,
  { packs, lying }: PackedOwner,
): readonly Pack[] | undefined {
  const since = job.request.since ?? Number.NEGATIVE_INFINITY
  const asOf = job.transactionTime.getTime()
  const isOfTime = ({ changed, oldest, newest }: Pack) =>
    changed <= asOf && (newest <= since || (oldest > since && use !== 'passed-over'))
  return lying || !packs.every((pack) => isOfTime(pack) && serves(pack))
    ? undefined
    : packs.filter(({ newest }) => newest > since)
}

/** A pack that is not what it says is made again; the versions are the truth. */
export async function refusePacks(selection: Selection, owner: string, type: string): Promise<void> {
  const { tenant } = selection.job
  selection.complain('pack-refused', { tenant, type })
  await dropPacks(selection.pool, tenant, [{ owner, type }])
}
