import { NewestOfTargets, type ProvenanceAge } from '../../provenance-age.ts'
import type { Slice } from '../pack.ts'
import { keyOfTypes, typesOf } from './section-key.ts'

/** What the lines of an owner and type weigh at most that are put in order: for that they are held. */
export const orderedBytesMax = 8 * 1024 * 1024

/** A record that is to be put in its place among those of its owner and type. */
export interface Keyed {
  /** Those with the same one stand together (`section-key.ts`). */
  readonly key: string
}

/** A Provenance with those of its targets that are there. */
export interface PlacedProvenance extends ProvenanceAge {
  readonly targets: readonly string[]
}

/**
 * Records of an owner and type in the order in which they are exported, whether out of packs or not and whatever else of them is: by key,
 * then in the order given.
 * @param records in the order of their ids
 */
export const inOrder = <Item extends Keyed>(records: readonly Item[]): readonly Item[] =>
  records.every(({ key }, index) => index === 0 || key >= records[index - 1]!.key)
    ? records
    : records.toSorted((one, other) => compare(one.key, other.key))

/**
 * The Provenances of an owner in that order: those that are the newest of one of their targets, then the others, each by the types of
 * their targets, then in the order given. So an export of the newest of all copies the first packs.
 * @param provenances all of an owner, in the order of their ids
 */
export function slicesOf<Provenance extends PlacedProvenance>(
  provenances: readonly Provenance[],
): ReadonlyMap<Slice, readonly (Provenance & Keyed)[]> {
  const newest = new NewestOfTargets<Provenance>()
  for (const provenance of provenances) newest.add(provenance, provenance.targets)
  const winners = newest.winners()
  const keyed = (list: readonly Provenance[]) =>
    inOrder(list.map((provenance) => ({ ...provenance, key: keyOfTypes(typesOf(provenance.targets)) })))
  return new Map<Slice, readonly (Provenance & Keyed)[]>([
    ['latest', keyed(provenances.filter((provenance) => winners.has(provenance)))],
    ['older', keyed(provenances.filter((provenance) => !winners.has(provenance)))],
  ])
}

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)
