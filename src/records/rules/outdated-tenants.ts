import type { Pool } from 'pg'

/** A tenant with records that are not under the rules of ownership of this program yet. */
export interface OutdatedTenant {
  readonly tenant: string
  /** Under which the server was reached when they were written, if that is known. */
  readonly publicUrl: string | undefined
}

const outdatedSql = 'select tenant, public_url from outdated_tenant order by tenant'

export async function outdatedTenants(pool: Pool): Promise<readonly OutdatedTenant[]> {
  const { rows } = await pool.query<{ tenant: string; public_url: string | null }>(outdatedSql)
  return rows.map(({ tenant, public_url }) => ({ tenant, publicUrl: public_url ?? undefined }))
}

const isOutdatedSql = 'select exists (select from outdated_tenant where tenant = $1) as outdated'

/** Whether some records of a tenant may not belong yet to whom they belong by the rules. What is written now does in any case. */
export async function isOutdated(pool: Pool, tenant: string): Promise<boolean> {
  return (await pool.query<{ outdated: boolean }>(isOutdatedSql, [tenant])).rows[0]!.outdated
}
