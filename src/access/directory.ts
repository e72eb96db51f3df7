import { BriefCache } from './brief-cache.ts'
import { type Client, findClient } from './client.ts'
import type { Queryable } from './queryable.ts'
import { loadSigningKeys, type SigningKeys } from './signing-key.ts'
import { findTenant, isTenantId, type Tenant } from './tenant.ts'

/** How long a change to a tenant, client or signing key may stay unseen by a running server. */
export const directoryMsMax = 2_000
const directoryEntriesMax = 10_000

/**
 * The tenants, clients and signing keys of a store as a running server sees them: at most `directoryMsMax` old, so that
 * a request in the steady state costs no query, and a disabled client is refused within that time.
 */
export class AccessDirectory {
  readonly #database: Queryable
  readonly #tenants: BriefCache<Tenant | undefined>
  readonly #clients: BriefCache<Client | undefined>
  readonly #keys: BriefCache<SigningKeys>

  constructor(database: Queryable, now: () => Date) {
    const bounds = { msMax: directoryMsMax, entriesMax: directoryEntriesMax, now }
    this.#database = database
    this.#tenants = new BriefCache(bounds)
    this.#clients = new BriefCache(bounds)
    this.#keys = new BriefCache(bounds)
  }

  /** The tenant of that id, which may be any text. What cannot be an id is not remembered: callers choose its length. */
  async tenant(id: string): Promise<Tenant | undefined> {
    if (!isTenantId(id)) return undefined
    return this.#tenants.get(id, () => findTenant(this.#database, id))
  }

  /** The client of that id, disabled or not. */
  client(id: string): Promise<Client | undefined> {
    return this.#clients.get(id, () => findClient(this.#database, id))
  }

  /** The keys that sign and verify access tokens. */
  signingKeys(): Promise<SigningKeys> {
    return this.#keys.get('', () => loadSigningKeys(this.#database))
  }
}
