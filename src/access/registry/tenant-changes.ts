import type { Queryable } from '../../database/queryable.ts'

export async function countClients(database: Queryable, tenant: string): Promise<number> {
  const { rows } = await database.query('select count(*)::int as clients from client where tenant = $1', [tenant])
  return rows[0].clients
}

/** Forgets who may call a tenant: its clients, and the issuers that it trusts. */
export async function deleteCallers(database: Queryable, tenant: string): Promise<void> {
  await database.query('delete from client where tenant = $1', [tenant])
  await database.query('delete from trusted_issuer where tenant = $1', [tenant])
}

/** Forgets a tenant whom nobody may call any more. */
export async function deleteTenant(database: Queryable, id: string): Promise<void> {
  await database.query('delete from tenant where id = $1', [id])
}
