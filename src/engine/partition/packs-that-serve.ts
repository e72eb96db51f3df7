import { allComeAlong } from '../../protocol/plan/pack-use.ts'
import { absenceType } from '../../records/packs/absence-pack.ts'
import { dropPacks } from '../../records/packs/drop-packs.ts'
import type { Pack } from '../../records/packs/pack.ts'
import type { OwnedPacks } from '../../records/packs/stored-packs.ts'
import type { Selection } from './selection.ts'

/**
 * Tells those packs of an owner and type that hold something to export; none when there is nothing to export, undefined when they are
 * not the state that the job wants.
 */
export function packsThatServe({ job }: Selection): (found: OwnedPacks) => readonly Pack[] | undefined {
  const { request } = job
  const since = request.since ?? Number.NEGATIVE_INFINITY
  const asOf = job.transactionTime.getTime()
  const serves = ({ type, changed, oldest, targets, undisputed }: Pack) =>
    changed <= asOf && oldest > since && (type !== 'Provenance' || allComeAlong(request, targets, undisputed))
  const isNew = ({ newest }: Pack) => newest > since
  return ({ packs, lacking, lying }) => {
    if (lying || lacking || !packs.every(serves)) return undefined
    return packs.every(isNew) ? packs : packs.filter(isNew)
  }
}

/** A pack that is not what it says is made again, and what is said of types without packs; the versions are the truth. */
export async function refusePacks(
  selection: Selection,
  { owner, type }: { readonly owner: string; readonly type: string },
): Promise<void> {
  const { tenant } = selection.job
  selection.tell('pack-refused', { tenant, type })
  const refused = { owner, type }
  await dropPacks(selection.pool, tenant, [refused, { owner, type: absenceType }])
}
