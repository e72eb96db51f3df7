import type { Job } from '../../jobs/job.ts'
import { packUse } from '../../protocol/plan/pack-use.ts'
import type { PackDemand } from '../../records/packs/pack-demand.ts'

/** What a job needs of packs of some types. */
export function packDemand({ tenant, request, transactionTime }: Job, types: readonly string[]): PackDemand {
  const usable = request.organizedBy ? [] : types.filter((type) => packUse(request, type) !== 'passed-over')
  return { tenant, types, usable, asOf: transactionTime.getTime(), since: request.since, until: request.until }
}
