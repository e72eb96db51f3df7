import { isOfOwners } from '../../protocol/plan/coming-along.ts'
import { absenceType, presentTypes } from '../../records/packs/absence-pack.ts'
import { packsOfOwners } from '../../records/packs/stored-packs.ts'
import { OwnedTypes } from './owned-types.ts'
import { packDemand } from './pack-demand-of-job.ts'
import { packsThatServe, refusePacks } from './packs/packs-that-serve.ts'
import type { Selection } from './selection.ts'

/**
 * Exports the records of a partition's owners as of the job's transactionTime, owner after owner, each type into files of its own: packs
 * where they serve, versions where they do not, always the same lines in the same order.
 */
export async function exportOwners(selection: Selection): Promise<void> {
  const { job, held, pool } = selection
  const types = job.request.types.filter((type) => isOfOwners(job.request, type))
  const { owners } = held.partition
  await selection.writingEach(types, 'output', async (writers) => {
    const exported = new OwnedTypes(selection, writers)
    const serving = packsThatServe(selection)
    let next = 0
    for await (const found of packsOfOwners(pool, { ...packDemand(job, types), owners, signal: held.signal })) {
      await held.giveWay()
      for (const ofOwner of found) {
        for (; next < owners.length && owners[next] !== ofOwner.owner; next++) await exported.endOwner(owners[next]!)
        if (next === owners.length) throw new Error('packs came in another order than their owners')
        if (ofOwner.lying) await refusePacks(selection, ofOwner)
        if (ofOwner.type === absenceType) {
          if (!ofOwner.lying) exported.addPresent(ofOwner.packs.flatMap(presentTypes))
          continue
        }
        const packs = serving(ofOwner)
        const busy = packs && exported.addPacks(ofOwner.type, packs)
        if (busy) await busy
      }
    }
    for (; next < owners.length; next++) await exported.endOwner(owners[next]!)
    await exported.settle()
  })
}
