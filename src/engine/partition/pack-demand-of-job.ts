import type { Job } from '../../jobs/job.ts'
import { forThemselves, isChosen } from '../../protocol/plan/pack-use.ts'
import type { PackDemand } from '../../records/packs/pack-demand.ts'

/** What a job needs of packs of some types. */
export function packDemand({ tenant, request, transactionTime }: Job, types: readonly string[]): PackDemand {
  const chosen = types.filter((type) => isChosen(request, type))
  const { since, until, ...timeless } = request
  const inflated = types.filter((type) => isChosen(timeless, type))
  const alone = forThemselves(request)
  return { tenant, types, chosen, inflated, asOf: transactionTime.getTime(), since, until, alone }
}
