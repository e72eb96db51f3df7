import type { Pool } from 'pg'
import { readSetting, writeSetting } from '../../database/setting.ts'
import { transaction } from '../../database/transaction.ts'
import { ownershipRules } from '../../fhir/ownership.ts'

const underRulesSql = `
  select exists (select from setting where name = 'ownership_rules' and value = $1::text)
    or exists (select from ruled_tenant where tenant = $2 and rules = $1::integer and done) as under`

/** Whether all records of a tenant belong to whom they belong by the rules of this program. What is written now does in any case. */
export async function isUnderRules(pool: Pool, tenant: string): Promise<boolean> {
  return (await pool.query<{ under: boolean }>(underRulesSql, [ownershipRules, tenant])).rows[0]!.under
}

/** The same for all tenants. */
export const isStoreUnderRules = async (pool: Pool): Promise<boolean> =>
  (await readSetting(pool, 'ownership_rules')) === String(ownershipRules)

/** Notes that all records are under the rules: nobody asks for single tenants any more. */
export const endReowning = (pool: Pool): Promise<void> =>
  transaction(pool, async (client) => {
    await writeSetting(client, 'ownership_rules', String(ownershipRules))
    await client.query('delete from ruled_tenant')
  })

// From one tenant to the next by the index, whatever the number of their records.
const tenantsSql = `
  with recursive step as (
    (select tenant from record order by tenant limit 1)
    union all
    select (select tenant from record where tenant > step.tenant order by tenant limit 1) from step where step.tenant is not null)
  select tenant from step where tenant is not null`

/** Every tenant that has or had records. */
export async function tenantsOfStore(pool: Pool): Promise<string[]> {
  return (await pool.query<{ tenant: string }>(tenantsSql)).rows.map(({ tenant }) => tenant)
}
