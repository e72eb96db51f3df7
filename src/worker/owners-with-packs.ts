import { allComeAlong, isWhole, packUse } from '../export/pack-use.ts'
import type { Job } from '../jobs/job.ts'
import { type PackDemand, type PackedOwners, packedOwners, packedProvenances } from '../records/packed-owners.ts'
import type { Selection } from './selection.ts'

/** Of each type the owners of a partition whose packs serve the export. */
export async function ownersWithPacks(
  selection: Selection,
  types: readonly string[],
): Promise<ReadonlyMap<string, PackedOwners>> {
  const { pool, job, held, at } = selection
  const packed = await packedOwners(pool, held.partition.owners, packDemand(job, packable(job, types)))
  const provenances = packed.get('Provenance')
  if (provenances) {
    const about = await packedProvenances(pool, at.tenant, provenances.packed)
    const whole = about.filter(({ targets, undisputed }) => allComeAlong(job.request, targets, undisputed))
    packed.set('Provenance', { packed: whole.map(({ owner }) => owner), unchanged: [] })
  }
  return packed
}

/** Which Provenances come along can be told from packs only where all records are exported. */
const packable = ({ request }: Job, types: readonly string[]): readonly string[] =>
  isWhole(request) ? types : types.filter((type) => type !== 'Provenance')

/** What a job needs of packs of some types. */
export function packDemand({ tenant, request, transactionTime }: Job, types: readonly string[]): PackDemand {
  const usable = request.organizedBy ? [] : types.filter((type) => packUse(request, type) !== 'passed-over')
  return { tenant, types, usable, asOf: transactionTime.getTime(), since: request.since, until: request.until }
}
