import type { Pool } from 'pg'
import type { Job } from '../jobs/job.ts'
import { addPlanned, forgetPlanned } from '../jobs/paged-plan.ts'
import { UnlistedPlan } from '../protocol/plan/unlisted-plan.ts'
import { ownerSizes } from '../records/owner-sizes.ts'
import { ownersOfTenant } from '../records/owners.ts'
import { packDemand } from './partition/pack-demand-of-job.ts'

/**
 * Plans a job that names no patients: goes through all owners of the tenant in pages and writes each partition as soon as it is cut,
 * so that memory does not grow with the tenant. The partitions count when the job starts; until then nobody takes them.
 * @returns how many partitions there are, or undefined when the job is this planner's no longer
 */
export async function planUnlisted(
  pool: Pool,
  job: Job,
  types: readonly string[],
  worker: number,
): Promise<number | undefined> {
  const plan = new UnlistedPlan()
  const demand = packDemand(job, types)
  let count = 0
  if (!(await forgetPlanned(pool, job.id, worker))) return undefined
  for await (const owners of allOwners(pool, job)) {
    const sizes = (await ownerSizes(pool, owners, demand)).sort(byOwner)
    // What is nobody's stands alone: which Provenances come along must not depend on where partitions are cut.
    const complete = [...plan.add(sizes), ...(owners[0] === '' ? plan.end() : [])]
    if (!(await addPlanned(pool, job.id, worker, complete, count))) return undefined
    count += complete.length
  }
  const last = plan.end()
  return (await addPlanned(pool, job.id, worker, last, count)) ? count + last.length : undefined
}

/** What belongs to nobody is exported with the whole system only, and has no place in blocks of patients. */
async function* allOwners(pool: Pool, { tenant, request }: Job): AsyncGenerator<string[]> {
  if (request.reach === 'system' && request.organizedBy === undefined) yield ['']
  yield* ownersOfTenant(pool, tenant)
}

const byOwner = (a: { readonly owner: string }, b: { readonly owner: string }): number => (a.owner < b.owner ? -1 : 1)
