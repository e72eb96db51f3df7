import { NewestOfTargets, type ProvenanceAge } from '../../provenance-age.ts'
import type { Slice } from '../pack.ts'

/** What the lines of an owner's Provenances weigh at most that are divided: for that they are held. */
export const slicedBytesMax = 8 * 1024 * 1024

/** A Provenance with those of its targets that are there. */
export interface PlacedProvenance extends ProvenanceAge {
  readonly targets: readonly string[]
}

/**
 * The Provenances of an owner in the order in which they are exported: those that are the newest of one of their targets, then the others,
 * each in the order given. So an export of the newest of all copies the first packs.
 * @param provenances all of an owner, in the order of their ids
 */
export function slicesOf<Provenance extends PlacedProvenance>(
  provenances: readonly Provenance[],
): ReadonlyMap<Slice, readonly Provenance[]> {
  const newest = new NewestOfTargets<Provenance>()
  for (const provenance of provenances) newest.add(provenance, provenance.targets)
  const winners = newest.winners()
  return new Map<Slice, readonly Provenance[]>([
    ['latest', provenances.filter((provenance) => winners.has(provenance))],
    ['older', provenances.filter((provenance) => !winners.has(provenance))],
  ])
}
