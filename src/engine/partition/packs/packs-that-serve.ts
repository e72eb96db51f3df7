import { asksBinaries, comingAlongWhole, extentOfTimes, isChosen } from '../../../protocol/plan/pack-use.ts'
import { absenceType } from '../../../records/packs/absence-pack.ts'
import { dropPacks } from '../../../records/packs/drop-packs.ts'
import type { Pack } from '../../../records/packs/pack.ts'
import type { OwnedPacks } from '../../../records/packs/stored-packs.ts'
import type { Selection } from '../selection.ts'

/**
 * Tells the packs of an owner and type out of which can be exported what is wanted; none when there is nothing to export, undefined when
 * they are not the state that the job wants, or do not tell enough.
 */
export function packsThatServe({ job }: Selection): (found: OwnedPacks) => readonly Pack[] | undefined {
  const { request } = job
  const asOf = job.transactionTime.getTime()
  const chosen = new Set<string>(request.types.filter((type) => isChosen(request, type)))
  const coming = comingAlongWhole(request)
  const lacksColumns = ({ columns, records, shared }: Pack) => columns === undefined && (records > 0 || shared !== '')
  const needsColumns = (pack: Pack): boolean => {
    if (chosen.has(pack.type)) return lacksColumns(pack)
    if (pack.type === 'Provenance') return false
    return pack.columns === undefined && extentOfTimes(request, pack) === 'some'
  }
  /** Those of several owners are not in packs: a filter cannot ask about them there. */
  const isHidden = ({ type, shared }: Pack) => shared !== '' && Object.hasOwn(request.filters, type)
  const serves = (pack: Pack) =>
    pack.changed <= asOf && !needsColumns(pack) && !isHidden(pack) && !asksBinaries(request, pack.type)
  /** Which of several is the newest of a record is told by all of them together. */
  const isUntold = (packs: readonly Pack[]) =>
    packs[0]?.type === 'Provenance' && packs.some(lacksColumns) && packs.some((pack) => coming(pack) === 'some')
  return ({ packs, lacking, lying }) =>
    lying || lacking || !packs.every(serves) || isUntold(packs) ? undefined : packs
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
