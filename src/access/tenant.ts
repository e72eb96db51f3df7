import { type ProfileName, profileNames, type ReferenceWalk, referenceWalks } from '../export/profile.ts'
import { Failure } from '../failure.ts'
import type { Queryable } from './queryable.ts'

/** One organisation: the `{tenant}` segment of every URL. */
export interface Tenant {
  readonly id: string
  readonly profile: ProfileName
  readonly referenceWalk: ReferenceWalk
  readonly created: Date
}

const columns = 'id, profile, reference_walk as "referenceWalk", created'

/** Ids that can be a path segment: `.` and `..` are not, because clients resolve them away. */
export const isTenantId = (text: string): boolean =>
  /^[A-Za-z0-9._-]{1,64}$/.test(text) && text !== '.' && text !== '..'

/** @throws Failure when the id, profile or way to follow references is not one, or the tenant exists. */
export async function addTenant(
  database: Queryable,
  tenant: { readonly id: string; readonly profile: string; readonly references?: string },
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
    `insert into tenant (id, profile, reference_walk) values ($1, $2, $3) on conflict do nothing returning ${columns}`,
    [tenant.id, tenant.profile, checkedWalk(tenant.references ?? 'one-hop')],
  )
  const added = rows[0]
  if (!added) {
    throw new Failure(`Tenant ${tenant.id} exists already.`, 'List the tenants with: bin/millrace tenant list')
  }
  return added
}

/**
 * Sets how far the exports of a tenant follow references; running ones stay as they were accepted.
 * @throws Failure when there is no such tenant or way.
 */
export async function setReferenceWalk(database: Queryable, id: string, references: string): Promise<Tenant> {
  const walk = checkedWalk(references)
  const { rows } = isTenantId(id)
    ? await database.query<Tenant>(`update tenant set reference_walk = $2 where id = $1 returning ${columns}`, [
        id,
        walk,
      ])
    : { rows: [] }
  if (!rows[0]) {
    throw new Failure(`There is no tenant "${id}".`, 'List the tenants with: bin/millrace tenant list')
  }
  return rows[0]
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

/** Every tenant, by id. */
export async function listTenants(database: Queryable): Promise<readonly Tenant[]> {
  const { rows } = await database.query<Tenant>(`select ${columns} from tenant order by id`)
  return rows
}
