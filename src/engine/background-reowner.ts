import type { Pool } from 'pg'
import { readSetting } from '../database/setting.ts'
import { defaultPublicUrl, fhirBase } from '../fhir/service-urls.ts'
import { reownTenant } from '../records/rules/reown-tenant.ts'
import { endReowning, isStoreUnderRules, tenantsOfStore } from '../records/rules/rules-of-store.ts'
import type { EngineLog } from './engine-log.ts'

/** The advisory lock of the one who does it; it goes with its session. */
const lockSql = 'select pg_try_advisory_lock(7061, 5) as mine'

/** How far it is, is told so often. */
const toldEveryMs = 10_000

/**
 * Puts a store that was filled under former rules of ownership under those of this program, tenant after tenant, beside all else. One program does;
 * when it dies another one goes on.
 */
export class BackgroundReowner {
  readonly #pool: Pool
  readonly #log: EngineLog
  #stopping = false
  #isDone = false

  constructor(pool: Pool, log: EngineLog) {
    this.#pool = pool
    this.#log = log
  }

  /** Returns when all is done, somebody else is at it, or it is to stop. */
  async run(): Promise<void> {
    this.#isDone ||= await isStoreUnderRules(this.#pool)
    if (this.#isDone) return
    const client = await this.#pool.connect()
    client.on('error', () => {})
    try {
      const { rows } = await client.query<{ mine: boolean }>(lockSql)
      if (rows[0]!.mine) await this.#reown()
    } finally {
      client.release(true)
    }
  }

  stop(): void {
    this.#stopping = true
  }

  async #reown(): Promise<void> {
    const publicUrl = (await readSetting(this.#pool, 'public_url')) ?? defaultPublicUrl
    for (const tenant of await tenantsOfStore(this.#pool)) {
      let told = Date.now()
      for await (const reowned of reownTenant(this.#pool, tenant, [fhirBase(publicUrl, tenant)])) {
        if (this.#stopping) return
        if (Date.now() - told < toldEveryMs) continue
        told = Date.now()
        this.#log('reowning', reowned)
      }
    }
    await endReowning(this.#pool)
    this.#log('reowning', { done: true })
  }
}
