import type { Pool } from 'pg'
import { addTenant, changeTenant, existingTenant, type Tenant, type TenantChange } from '../access/registry/tenant.ts'
import { countClients, deleteCallers, deleteTenant } from '../access/registry/tenant-changes.ts'
import { Failure } from '../failure.ts'
import { countJobs, removeJobs } from '../jobs/tenant-jobs.ts'
import { countRecords, removeLastRecords, removeRecords } from '../records/tenant-records.ts'
import { type Administrator, administer, tenantEvent } from './administer.ts'

/** A tenant and what it has. */
export interface TenantSummary extends Tenant {
  readonly clients: number
  /** Up to `recordsCountedMax`. */
  readonly records: number
  readonly liveJobs: number
  readonly completedJobs: number
}

/** @throws Failure when there is no such tenant. */
export async function describeTenant(pool: Pool, id: string): Promise<TenantSummary> {
  const tenant = await existingTenant(pool, id)
  const { live, completed } = await countJobs(pool, { tenant: id })
  const [clients, records] = [await countClients(pool, id), await countRecords(pool, id)]
  return { ...tenant, clients, records, liveJobs: live, completedJobs: completed }
}

/** @throws Failure as `addTenant` does. */
export function createTenant(
  pool: Pool,
  administrator: Administrator,
  tenant: Parameters<typeof addTenant>[1],
): Promise<Tenant> {
  const event = (added: Tenant) => tenantEvent(tenant.id, 'tenant added', servedBy(added))
  return administer(pool, administrator, event, (client) => addTenant(client, tenant))
}

/** @throws Failure as `changeTenant` does. */
export function reviseTenant(
  pool: Pool,
  administrator: Administrator,
  id: string,
  change: TenantChange,
): Promise<Tenant> {
  const event = (tenant: Tenant) => tenantEvent(id, 'tenant changed', servedBy(tenant))
  return administer(pool, administrator, event, (client) => changeTenant(client, id, change))
}

const servedBy = ({ profile, strict, referenceWalk }: Tenant) => ({ profile, strict, references: referenceWalk })

/**
 * Removes a tenant. One that has records, clients or jobs is removed only `withData`: first its clients and jobs go, so that nobody reads
 * or writes any more, then its records in batches, then the tenant itself. When it is broken off, the tenant is still there, and removing
 * it again goes on. Its audit trail stays.
 * @throws Failure when there is no such tenant, or it has something and `withData` is not said.
 */
export async function removeTenant(
  pool: Pool,
  administrator: Administrator,
  id: string,
  withData: boolean,
): Promise<{ readonly rows: number }> {
  const { clients, records, liveJobs, completedJobs } = await describeTenant(pool, id)
  if (!withData && clients + records + liveJobs + completedJobs > 0) {
    throw new Failure(
      `Tenant ${id} has ${clients} clients, ${records} records, ${liveJobs} running and ${completedJobs} completed exports.`,
      'Removing it removes them all, for ever. If that is meant, add --with-data.',
    )
  }
  const begun = tenantEvent(id, 'tenant removal begun', { clients, records, exports: liveJobs + completedJobs })
  await administer(pool, administrator, begun, async (client) => {
    await deleteCallers(client, id)
    await removeJobs(client, { tenant: id })
  })
  const rows = await removeRecords(pool, id)
  await administer(pool, administrator, tenantEvent(id, 'tenant removed', { rows }), async (client) => {
    await removeLastRecords(client, id)
    await deleteCallers(client, id)
    await removeJobs(client, { tenant: id })
    await deleteTenant(client, id)
  })
  return { rows }
}
