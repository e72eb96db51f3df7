import { randomUUID } from 'node:crypto'
import type { JWK } from 'jose'
import type { Queryable } from '../../database/queryable.ts'
import { Failure } from '../../failure.ts'
import { checkKeySet } from './client-key-set.ts'
import { registeredScopes } from './registered-scope.ts'
import { checkServerUrl } from './server-url.ts'
import { findTenant } from './tenant.ts'

/** Where a client's public keys come from (B2). */
export type ClientKeys =
  | { readonly kind: 'inline'; readonly keys: readonly JWK[] }
  | { readonly kind: 'url'; readonly url: string }

/** A registered application of one tenant. */
export interface Client {
  readonly id: string
  readonly tenant: string
  readonly name: string
  readonly scopes: readonly string[]
  /** How it authenticates: by keys, or by a secret of which the hash is kept. */
  readonly keys: ClientKeys | { readonly kind: 'secret'; readonly hash: string }
  readonly created: Date
  readonly disabled: Date | undefined
}

/** What `addClient` is told. `jwks` is a parsed document, `secretHash` made by `hashClientSecret`, `scope` a blank-separated list. */
export interface Registration {
  readonly tenant: string
  readonly name: string
  readonly scope: string
  readonly keys: { readonly jwks: unknown } | { readonly jwksUrl: string } | { readonly secretHash: string }
}

const clientNameCharsMax = 200
const columns = 'id, tenant, name, scopes, jwks, jwks_url, secret_hash, created, disabled'
const idPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Ids of clients are UUIDs. */
export const isClientId = (text: string): boolean => idPattern.test(text)

interface Row {
  readonly id: string
  readonly tenant: string
  readonly name: string
  readonly scopes: string[]
  readonly jwks: { keys: JWK[] } | null
  readonly jwks_url: string | null
  readonly secret_hash: string | null
  readonly created: Date
  readonly disabled: Date | null
}

/**
 * Registers a client under a new random id.
 * @throws Failure when the tenant is unknown, or the name, scope or keys are not acceptable.
 */
export async function addClient(database: Queryable, registration: Registration): Promise<Client> {
  const { tenant, name, keys } = registration
  checkName(name)
  const scopes = registeredScopes(registration.scope)
  const jwks = 'jwks' in keys ? { keys: await checkKeySet(keys.jwks) } : null
  const url = 'jwksUrl' in keys ? checkServerUrl(keys.jwksUrl, 'key set') : null
  const secretHash = 'secretHash' in keys ? keys.secretHash : null
  if (!(await findTenant(database, tenant))) {
    throw new Failure(`There is no tenant "${tenant}".`, `Add it with: bin/millrace tenant add ${tenant}`)
  }
  const { rows } = await database.query<Row>(
    `insert into client (id, tenant, name, scopes, jwks, jwks_url, secret_hash) values ($1, $2, $3, $4, $5, $6, $7)
     returning ${columns}`,
    [randomUUID(), tenant, name, scopes, jwks, url, secretHash],
  )
  return clientOf(rows[0]!)
}

/** The client of that id, disabled or not; undefined when there is none or the text cannot be an id. */
export async function findClient(database: Queryable, id: string): Promise<Client | undefined> {
  if (!isClientId(id)) return undefined
  const { rows } = await database.query<Row>(`select ${columns} from client where id = $1`, [id])
  return rows[0] && clientOf(rows[0])
}

/** The clients of a tenant, oldest first. */
export async function listClients(database: Queryable, tenant: string): Promise<readonly Client[]> {
  const { rows } = await database.query<Row>(`select ${columns} from client where tenant = $1 order by created, id`, [
    tenant,
  ])
  return rows.map(clientOf)
}

/** The clients of a tenant by id, from behind one on. */
export async function clientPage(
  database: Queryable,
  tenant: string,
  after: string,
  count: number,
): Promise<readonly Client[]> {
  const { rows } = await database.query<Row>(
    `select ${columns} from client where tenant = $1 and id > $2 order by id limit $3`,
    [tenant, after, count],
  )
  return rows.map(clientOf)
}

/**
 * Refuses the client from now on, its live tokens too. Disabling twice keeps the first time.
 * @throws Failure when there is no such client.
 */
export async function disableClient(database: Queryable, id: string): Promise<Client> {
  const { rows } = isClientId(id)
    ? await database.query<Row>(
        `update client set disabled = coalesce(disabled, now()) where id = $1 returning ${columns}`,
        [id],
      )
    : { rows: [] }
  if (!rows[0]) {
    throw new Failure(`There is no client "${id}".`, 'List the clients with: bin/millrace client list --tenant TENANT')
  }
  return clientOf(rows[0])
}

const clientOf = ({ jwks, jwks_url, secret_hash, disabled, ...row }: Row): Client => ({
  ...row,
  keys: keysOf(jwks, jwks_url, secret_hash),
  disabled: disabled ?? undefined,
})

function keysOf(jwks: Row['jwks'], url: string | null, hash: string | null): Client['keys'] {
  if (jwks) return { kind: 'inline', keys: jwks.keys }
  return url === null ? { kind: 'secret', hash: hash! } : { kind: 'url', url }
}

function checkName(name: string): void {
  if (name.trim() === '' || name.length > clientNameCharsMax || /\p{Cc}/u.test(name)) {
    throw new Failure(
      'This cannot be the name of a client.',
      `Use 1 to ${clientNameCharsMax} characters without control characters.`,
    )
  }
}
