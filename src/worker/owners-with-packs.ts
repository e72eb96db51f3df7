import { allComeAlong, isWhole, packUse } from '../export/pack-use.ts'
import { packedOwners, packedProvenances } from '../records/packed-owners.ts'
import type { Selection } from './selection.ts'

/** Of each type the owners of a partition whose packs serve the export, in order. It is a forecast: packs may go at any time. */
export async function ownersWithPacks(
  selection: Selection,
  types: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const { pool, job, held, at } = selection
  const { owners } = held.partition
  const packable = isWhole(job.request) ? types : types.filter((type) => type !== 'Provenance')
  const usable = packable.filter((type) => packUse(job.request, type) !== 'passed-over')
  const packed = await packedOwners(pool, owners, { ...at, types: packable, usable, since: job.request.since })
  const withProvenances = packed.get('Provenance')
  if (withProvenances) {
    const about = await packedProvenances(pool, at.tenant, withProvenances)
    const whole = about.filter(({ targets, undisputed }) => allComeAlong(job.request, targets, undisputed))
    packed.set(
      'Provenance',
      whole.map(({ owner }) => owner),
    )
  }
  return packed
}
