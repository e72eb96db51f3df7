import { extentsOfSets } from '../../../protocol/plan/pack-use.ts'
import type { PackColumns } from '../../../records/packs/columns/pack-columns.ts'
import { NewestOfTargets, type ProvenanceAge } from '../../../records/provenance-age.ts'
import type { ExportedOfOwner } from './exported-records.ts'

/** What is known of the Provenances of one pack. */
export interface ProvenancesOfPack {
  readonly columns: PackColumns
  /** As `Pack.targets`. */
  readonly targets: string
  /** Whether a filter lets an entry pass. */
  readonly passes: (entry: number) => boolean
}

/** Those that come along, by pack and entry. */
type Coming = readonly Uint8Array[]

/** The Provenances of an owner that are about an exported record. */
export function relevantOf(packs: readonly ProvenancesOfPack[], exported: ExportedOfOwner): Coming {
  return packs.map(({ columns, targets, passes }) => {
    const { typeSets } = columns.provenances
    const extents = extentsOfSets(targets, exported.extent)
    const coming = new Uint8Array(columns.count)
    for (let entry = 0; entry < coming.length; entry++) {
      const extent = extents[typeSets[entry]!]!
      if (extent === 'none') continue
      const isAbout = extent === 'all' || columns.provenances.targetsOf(entry).some(exported.has)
      if (isAbout && passes(entry)) coming[entry] = 1
    }
    return coming
  })
}

interface Candidate extends ProvenanceAge {
  readonly pack: number
  readonly entry: number
}

/** The newest of each exported record. */
export function latestOf(packs: readonly ProvenancesOfPack[], exported: ExportedOfOwner): Coming {
  const newest = new NewestOfTargets<Candidate>()
  for (const [pack, { columns, targets, passes }] of packs.entries()) {
    const { ranks, recorded, typeSets } = columns.provenances
    const extents = extentsOfSets(targets, exported.extent)
    for (let entry = 0; entry < columns.count; entry++) {
      if (extents[typeSets[entry]!] === 'none') continue
      const about = columns.provenances.targetsOf(entry).filter(exported.has)
      if (about.length === 0 || !passes(entry)) continue
      const [updated, rank] = [columns.updated[entry]!, ranks[entry]!]
      newest.add({ pack, entry, recorded: recorded[entry]!, updated, rank }, about)
    }
  }
  const coming = packs.map(({ columns }) => new Uint8Array(columns.count))
  for (const { pack, entry } of newest.winners()) coming[pack]![entry] = 1
  return coming
}
