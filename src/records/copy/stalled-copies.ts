import type { Pool } from 'pg'

/** A COPY into the store whose sender sends nothing for so long is ended. */
export const copyStillMsMax = 30_000

/** Of other roles nothing is seen, and nothing could be ended. */
const lookSql = `
  select pid, backend_start::text || ' ' || query_start::text as begun, bytes_processed::text as bytes
  from pg_stat_progress_copy join pg_stat_activity using (pid)
  where pg_stat_activity.datname = current_database() and command = 'COPY FROM' and wait_event = 'ClientRead'
    and usesysid = (select oid from pg_roles where rolname = current_user)`

const endSql = `
  select pg_terminate_backend(pid) from pg_stat_activity
  where pid = $1 and backend_start::text || ' ' || query_start::text = $2`

interface Look {
  readonly pid: number
  readonly begun: string
  readonly bytes: string
}

/**
 * Ends sessions that stand still in the middle of a COPY into the store, and hold the clock's lock meanwhile: their program is paused, or
 * its network swallows everything. PostgreSQL itself would wait for ever, because it looks neither for the bound on statements nor for
 * that on idling while it waits for the bytes of a COPY. One that moves, however slowly, is left alone.
 */
export class StalledCopies {
  readonly #pool: Pool
  readonly #stillMsMax: number
  readonly #elapsed: () => number
  /** What was seen waiting, and since when with as many bytes. */
  #seen = new Map<string, { readonly bytes: string; readonly since: number }>()

  constructor(pool: Pool, stillMsMax = copyStillMsMax, elapsed = () => performance.now()) {
    this.#pool = pool
    this.#stillMsMax = stillMsMax
    this.#elapsed = elapsed
  }

  /** Looks, and ends those that have not moved since looks before. @returns how many were ended */
  async look(): Promise<number> {
    const now = this.#elapsed()
    const { rows } = await this.#pool.query<Look>(lookSql)
    const before = this.#seen
    this.#seen = new Map()
    let ended = 0
    for (const { pid, begun, bytes } of rows) {
      const known = before.get(begun)
      const since = known?.bytes === bytes ? known.since : now
      if (now - since >= this.#stillMsMax) ended += (await this.#pool.query(endSql, [pid, begun])).rowCount ?? 0
      else this.#seen.set(begun, { bytes, since })
    }
    return ended
  }
}
