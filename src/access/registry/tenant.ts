import type { Queryable } from '../../database/queryable.ts'
import { Failure } from '../../failure.ts'
import { type ProfileName, profileNames, type ReferenceWalk, referenceWalks } from '../../protocol/profile.ts'

/** One organisation: the `{tenant}` segment of every URL. */
export interface Tenant {
  readonly id: string
  readonly profile: ProfileName
  /** Served as Oracle documents and no wider; only with the profile `millennium`. */
  readonly strict: boolean
  readonly referenceWalk: ReferenceWalk
  readonly created: Date
}

const columns = 'id, profile, strict, reference_walk as "referenceWalk", created'

/** Ids that can be a path segment: `.` and `..` are not, because clients resolve them away. */
export const isTenantId = (text: string): boolean =>
  /^[A-Za-z0-9._-]{1,64}$/.test(text) && text !== '.' && text !== '..'

/** @throws Failure when the id, profile or way to follow references is not one, the profile has no strict form, or the tenant exists. */
export async function addTenant(
  database: Queryable,
  tenant: { readonly id: string; readonly profile: string; readonly references?: string; readonly strict?: boolean },
): Promise<Tenant> {
  if (!isTenantId(tenant.id)) {
    throw new Failure(
      `"${tenant.id}" cannot be a tenant id.`,
      'Use 1 to 64 letters, digits, dots, underscores and hyphens.',
    )
  }
  const { strict = false, references = 'one-hop' } = tenant
  const profile = checkedProfile(tenant.profile)
  if (strict && profile !== 'millennium') throw notStrict(profile)
  const { rows } = await database.query<Tenant>(
    `insert into tenant (id, profile, strict, reference_walk) values ($1, $2, $3, $4) on conflict do nothing returning ${columns}`,
    [tenant.id, profile, strict, checkedWalk(references)],
  )
  const added = rows[0]
  if (!added) {
    throw new Failure(`Tenant ${tenant.id} exists already.`, 'List the tenants with: bin/millrace tenant list')
  }
  return added
}

/** What of a tenant can be changed. */
export interface TenantChange {
  readonly profile?: string | undefined
  readonly references?: string | undefined
  readonly strict?: boolean | undefined
}

/**
 * Changes how a tenant is served; running servers follow within `directoryMsMax`, running exports stay as they were accepted.
 * @throws Failure when there is no such tenant, profile or way to follow references, or its profile has no strict form.
 */
export async function changeTenant(database: Queryable, id: string, change: TenantChange): Promise<Tenant> {
  const walk = change.references === undefined ? null : checkedWalk(change.references)
  const tenant = await existingTenant(database, id)
  const profile = change.profile === undefined ? tenant.profile : checkedProfile(change.profile)
  if ((change.strict ?? tenant.strict) && profile !== 'millennium') throw notStrict(profile)
  const { rows } = await database.query<Tenant>(
    `update tenant set profile = $2, reference_walk = coalesce($3, reference_walk), strict = coalesce($4, strict)
     where id = $1 returning ${columns}`,
    [id, profile, walk, change.strict ?? null],
  )
  return rows[0]!
}

const notStrict = (profile: string): Failure =>
  new Failure(
    `The profile ${profile} has no strict form.`,
    'Only millennium has one: strict leaves out what is wider than Oracle documents.',
  )

function checkedProfile(text: string): ProfileName {
  const profile = profileNames.find((one) => one === text)
  if (profile) return profile
  throw new Failure(`There is no profile "${text}".`, `Choose ${profileNames.join(' or ')}.`)
}

function checkedWalk(text: string): ReferenceWalk {
  const walk = referenceWalks.find((one) => one === text)
  if (walk) return walk
  throw new Failure(`References cannot be followed "${text}".`, `Choose ${referenceWalks.join(' or ')}.`)
}

/** The tenant of that id; undefined when there is none or the text cannot be an id. */
export async function findTenant(database: Queryable, id: string): Promise<Tenant | undefined> {
  if (!isTenantId(id)) return undefined
  const { rows } = await database.query<Tenant>(`select ${columns} from tenant where id = $1`, [id])
  return rows[0]
}

/**
 * The tenant of that id.
 * @throws Failure when there is none.
 */
export async function existingTenant(database: Queryable, id: string): Promise<Tenant> {
  const tenant = await findTenant(database, id)
  if (!tenant) throw noTenant(id)
  return tenant
}

const noTenant = (id: string): Failure =>
  new Failure(`There is no tenant "${id}".`, 'List the tenants with: bin/millrace tenant list')

/** Tenants by id, from behind one on. */
export async function tenantPage(database: Queryable, after: string, count: number): Promise<readonly Tenant[]> {
  const sql = `select ${columns} from tenant where id > $1 order by id limit $2`
  return (await database.query<Tenant>(sql, [after, count])).rows
}

/** Every tenant, by id. */
export async function listTenants(database: Queryable): Promise<readonly Tenant[]> {
  const { rows } = await database.query<Tenant>(`select ${columns} from tenant order by id`)
  return rows
}
