import { type ProfileName, profileNames } from '../export/profile.ts'
import { Failure } from '../failure.ts'
import type { Queryable } from './queryable.ts'

/** One organisation: the `{tenant}` segment of every URL. */
export interface Tenant {
  readonly id: string
  readonly profile: ProfileName
  readonly created: Date
}

/** Ids that can be a path segment: `.` and `..` are not, because clients resolve them away. */
export const isTenantId = (text: string): boolean =>
  /^[A-Za-z0-9._-]{1,64}$/.test(text) && text !== '.' && text !== '..'

/** @throws Failure when the id or profile is not one, or the tenant exists. */
export async function addTenant(
  database: Queryable,
  tenant: { readonly id: string; readonly profile: string },
): Promise<Tenant> {
  if (!isTenantId(tenant.id)) {
    throw new Failure(
      `"${tenant.id}" cannot be a tenant id.`,
      'Use 1 to 64 letters, digits, dots, underscores and hyphens.',
    )
  }
  if (!profileNames.some((profile) => profile === tenant.profile)) {
    throw new Failure(`There is no profile "${tenant.profile}".`, `Choose ${profileNames.join(' or ')}.`)
  }
  const { rows } = await database.query<Tenant>(
    'insert into tenant (id, profile) values ($1, $2) on conflict do nothing returning id, profile, created',
    [tenant.id, tenant.profile],
  )
  const added = rows[0]
  if (!added) {
    throw new Failure(`Tenant ${tenant.id} exists already.`, 'List the tenants with: bin/millrace tenant list')
  }
  return added
}

/** The tenant of that id; undefined when there is none or the text cannot be an id. */
export async function findTenant(database: Queryable, id: string): Promise<Tenant | undefined> {
  if (!isTenantId(id)) return undefined
  const { rows } = await database.query<Tenant>('select id, profile, created from tenant where id = $1', [id])
  return rows[0]
}

/** Every tenant, by id. */
export async function listTenants(database: Queryable): Promise<readonly Tenant[]> {
  const { rows } = await database.query<Tenant>('select id, profile, created from tenant order by id')
  return rows
}
