import { absenceType, presentTypes } from '../../../records/packs/absence-pack.ts'
import type { Pack } from '../../../records/packs/pack.ts'
import { keptPack, packsOfOwners } from '../../../records/packs/stored-packs.ts'
import { packDemand } from '../pack-demand-of-job.ts'
import type { Selection } from '../selection.ts'
import { packsThatServe, refusePacks } from './packs-that-serve.ts'

/** The packs of an owner by type, none of types of which there is nothing; undefined where they do not serve for all of them. */
export interface PackedOwner {
  readonly owner: string
  readonly packs: ReadonlyMap<string, readonly Pack[]> | undefined
}

/**
 * The owners of a partition in order, each with the packs of all types. They are views of bytes that are overwritten when the next one is
 * asked for.
 */
export async function* packsByOwner(selection: Selection, types: readonly string[]): AsyncGenerator<PackedOwner> {
  const { job, held, pool } = selection
  const { owners } = held.partition
  const serving = packsThatServe(selection)
  const wanted = new Set(types)
  let next = 0
  let packs = new Map<string, readonly Pack[] | undefined>()
  /** Those of the present owner that are views of what has come last. */
  let views = new Set<string>()
  /** Of which types the owner has records, as far as packs tell. */
  let present: readonly string[] | undefined
  const finish = (): PackedOwner => {
    const found = packs
    const isWhole = (present?.filter((type) => wanted.has(type)) ?? types).every((type) => found.get(type))
    packs = new Map()
    views = new Set()
    present = undefined
    return { owner: owners[next++]!, packs: isWhole ? (found as never) : undefined }
  }
  for await (const found of packsOfOwners(pool, { ...packDemand(job, types), owners, signal: held.signal })) {
    for (const ofOwner of found) {
      while (next < owners.length && owners[next] !== ofOwner.owner) yield finish()
      if (next === owners.length) throw new Error('packs came in another order than their owners')
      if (ofOwner.lying) await refusePacks(selection, ofOwner)
      if (ofOwner.type === absenceType) {
        if (!ofOwner.lying) present = ofOwner.packs.flatMap(presentTypes)
        continue
      }
      packs.set(ofOwner.type, serving(ofOwner))
      views.add(ofOwner.type)
    }
    for (const type of views) packs.set(type, packs.get(type)?.map(keptPack))
    views.clear()
  }
  while (next < owners.length) yield finish()
}
