import { hostname, userInfo } from 'node:os'
import type { Pool, PoolClient } from 'pg'
import type { AuditAgent, AuditEntry } from '../audit/entry.ts'
import { appendAudit } from '../audit/trail.ts'
import { transaction } from '../database/transaction.ts'

/** Who administers, and from where: the half of an audit entry that does not depend on what is done. */
export type Administrator = Pick<AuditEntry, 'address' | 'request'> & { readonly agent: AuditAgent }

/** Who sits at the command line. An account without a name, as in some containers, has its number. */
export function operator(): Administrator {
  return { agent: { kind: 'operator', id: accountName() }, address: hostname() }
}

function accountName(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}

/** What is done, for the trail. */
export type AdministrationEvent = Pick<AuditEntry, 'tenant' | 'kind' | 'subjects' | 'detail'>

/**
 * Runs a change of tenants, clients or keys and its audit entry in one transaction: neither is there without the other. Every command and
 * route that administers goes through here.
 * @param event what to record, or how to tell it from what the work gave
 */
export function administer<Result>(
  pool: Pool,
  administrator: Administrator,
  event: AdministrationEvent | ((result: Result) => AdministrationEvent),
  work: (client: PoolClient) => Promise<Result>,
): Promise<Result> {
  return transaction(pool, async (client) => {
    const result = await work(client)
    const told = typeof event === 'function' ? event(result) : event
    await appendAudit(client, { ...administrator, outcome: 'success', ...told })
    return result
  })
}

/** The event of a change to a tenant. */
export const tenantEvent = (
  tenant: string,
  change: string,
  detail: AuditEntry['detail'] = {},
): AdministrationEvent => ({
  tenant,
  kind: 'administration',
  subjects: [`Tenant/${tenant}`],
  detail: { change, ...detail },
})

/** The event of a change to a client. */
export const clientEvent = (
  client: { readonly tenant: string; readonly id: string },
  change: string,
  detail: AuditEntry['detail'] = {},
): AdministrationEvent => ({
  tenant: client.tenant,
  kind: 'administration',
  subjects: [`Client/${client.id}`],
  detail: { change, ...detail },
})
