import type { Pool } from 'pg'
import { errorReason } from '../database/error-code.ts'
import { readSetting } from '../database/setting.ts'
import { fhirBase } from '../fhir/service-urls.ts'
import { type OutdatedTenant, outdatedTenants } from '../records/rules/outdated-tenants.ts'
import { reownTenant } from '../records/rules/reown-tenant.ts'
import type { EngineLog } from './engine-log.ts'

/** The advisory lock of the one who does it; it goes with its session. */
const lockSql = 'select pg_try_advisory_lock(7061, 5) as mine'

/** How far it is, is told so often. */
const toldEveryMs = 10_000

/**
 * Puts what was written under former rules of ownership under those of this program, tenant after tenant, beside all else. One program does;
 * when it dies another one goes on. A tenant whose turn fails keeps none of the others back.
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

  /** Returns when all is done that can be, somebody else is at it, or it is to stop. */
  async run(): Promise<void> {
    this.#isDone ||= (await outdatedTenants(this.#pool)).length === 0
    if (this.#isDone) return
    const client = await this.#pool.connect()
    let isLost = false
    client.on('error', () => {
      isLost = true
    })
    try {
      const { rows } = await client.query<{ mine: boolean }>(lockSql)
      if (rows[0]!.mine) await this.#reown(() => isLost)
    } finally {
      client.release(true)
    }
  }

  stop(): void {
    this.#stopping = true
  }

  /** @param isLost whether the lock is somebody else's by now, perhaps */
  async #reown(isLost: () => boolean): Promise<void> {
    const served = await readSetting(this.#pool, 'public_url')
    for (const outdated of await outdatedTenants(this.#pool)) {
      const publicUrl = outdated.publicUrl ?? served
      // Where no server has ever said under which URL it is reached, one will soon.
      if (publicUrl === undefined) continue
      try {
        await this.#reownTenant(outdated, publicUrl, isLost)
      } catch (error) {
        if (isLost()) throw error
        this.#log('reowning-failed', { tenant: outdated.tenant, reason: errorReason(error) })
      }
      if (this.#stopping || isLost()) return
    }
    if ((await outdatedTenants(this.#pool)).length === 0) this.#log('reowning', { done: true })
  }

  async #reownTenant({ tenant }: OutdatedTenant, publicUrl: string, isLost: () => boolean): Promise<void> {
    let told = Date.now()
    for await (const reowned of reownTenant(this.#pool, tenant, [fhirBase(publicUrl, tenant)])) {
      if (this.#stopping || isLost()) return
      if (Date.now() - told < toldEveryMs) continue
      told = Date.now()
      this.#log('reowning', reowned)
    }
  }
}
