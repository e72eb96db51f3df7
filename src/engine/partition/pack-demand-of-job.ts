import type { Job } from '../../jobs/job.ts'
import { forThemselves, isChosen, isWhole } from '../../protocol/plan/pack-use.ts'
import type { PackDemand } from '../../records/packs/pack-demand.ts'

/** What a job needs of packs of some types. */
export function packDemand({ tenant, request, transactionTime }: Job, types: readonly string[]): PackDemand {
  const chosen = types.filter((type) => isChosen(request, type))
  const { since, until, ...timeless } = request
  const inflated = types.filter((type) => isChosen(timeless, type))
  const whole = types.filter((type) => isWhole(request, type))
  const alone = forThemselves(request)
  return { tenant, types, chosen, inflated, whole, asOf: transactionTime.getTime(), since, until, alone }
}
