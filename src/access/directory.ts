import type { Queryable } from '../database/queryable.ts'
import { BriefCache } from './brief-cache.ts'
import { type Client, findClient } from './registry/client.ts'
import { findTenant, isTenantId, type Tenant } from './registry/tenant.ts'
import { loadSigningKeys, type SigningKeys } from './tokens/signing-key.ts'

/** How long a change to a tenant or signing key may stay unseen by a running server. */
export const directoryMsMax = 2_000
const directoryEntriesMax = 10_000

/**
 * The tenants, clients and signing keys of a store as a running server sees them. Tenants and keys are at most
 * `directoryMsMax` old. Clients are never remembered: one that is disabled is refused on its next request, by every server.
 */
export class AccessDirectory {
  readonly #database: Queryable
  readonly #tenants: BriefCache<Tenant | undefined>
  readonly #keys: BriefCache<SigningKeys>

  constructor(database: Queryable, elapsed: () => number) {
    const bounds = { msMax: directoryMsMax, entriesMax: directoryEntriesMax, elapsed }
    this.#database = database
    this.#tenants = new BriefCache(bounds)
    this.#keys = new BriefCache(bounds)
  }

  /** The tenant of that id, which may be any text. What cannot be an id is not remembered: callers choose its length. */
  async tenant(id: string): Promise<Tenant | undefined> {
    if (!isTenantId(id)) return undefined
    return this.#tenants.get(id, () => findTenant(this.#database, id))
  }

  /** The client of that id at this moment, disabled or not. */
  client(id: string): Promise<Client | undefined> {
    return findClient(this.#database, id)
  }

  /** The keys that sign and verify access tokens. */
  signingKeys(): Promise<SigningKeys> {
    return this.#keys.get('', () => loadSigningKeys(this.#database))
  }
}
