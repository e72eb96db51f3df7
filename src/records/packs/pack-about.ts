import { textArray } from '../sql-literal.ts'
import type { Pack } from './pack.ts'
import type { PackDemand } from './pack-demand.ts'

/** The types that all Provenances of an owner are about, blank-separated, by owner: which come along is mostly told by one look at all of them. */
export function typesAbout(packs: readonly Pack[]): ReadonlyMap<string, string> {
  const about = new Map<string, Set<string>>()
  for (const { owner, type, targets } of packs) {
    if (type !== 'Provenance') continue
    const types = about.get(owner) ?? new Set()
    for (const target of targets.split(/[ ,]/)) if (target !== '-' && target !== '') types.add(target)
    about.set(owner, types)
  }
  return new Map([...about].map(([owner, types]) => [owner, [...types].join(' ')]))
}

/** SQL: the labels of packs tell which of an owner's Provenances come along, for every record that they are about is exported. */
export const isTold = ({ whole }: Pick<PackDemand, 'whole'>): string =>
  `(type <> 'Provenance' or string_to_array(about, ' ') <@ ${textArray(whole)})`
